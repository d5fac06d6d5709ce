"""Teams: who counts as in them, what they give, and who may change them."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import UUID

import pytest
from httpx2 import AsyncClient, Response
from tests.standard.roles.own_roles import given, refused, trail
from tests.standard.roles.own_roles import made as role_made

from tenantry.kernel import new_id
from tenantry.resources import Rendered
from tenantry.standard.teams import TeamCreate, TeamMemberAdd, TeamMemberService, TeamService, TeamUpdate
from tenantry.standard.teams import service as limits
from tenantry.tenancy import Membership, Role, RoleAboveOwn, TeamCycle, TeamTooDeep
from tenantry.testing import TestTenant, World, call

pytestmark = pytest.mark.anyio


async def made(tenant: TestTenant, name: str, **values: Any) -> str:
    """Make a team as the owner; return its id."""
    answer = await tenant.owner.post("/teams", json={"name": f"{tenant.canary}.{name}", **values})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def joins(tenant: TestTenant, role: Role, team_id: str) -> None:
    answer = await tenant.owner.post(f"/teams/{team_id}/members", json={"user_id": str(tenant.people[role])})
    assert answer.status_code == 201, answer.text


async def moved(tenant: TestTenant, team_id: str, parent_id: str | None) -> Response:
    return await tenant.owner.patch(f"/teams/{team_id}", json={"parent_id": parent_id})


async def remembered(world: World, tenant: TestTenant, role: Role) -> Membership:
    """Return the membership once the echo of the last change has passed and it is answered from memory."""
    resolver, user_id = world.assembly.resolver, tenant.people[role]
    for _ in range(100):
        await resolver.member(user_id, tenant.id)
        await asyncio.sleep(0.01)
        known = resolver.peek(user_id, tenant.id, None, None)
        if known is not None:
            return known
    raise AssertionError("the membership is never remembered")


class Teams:
    """The services of teams for one principal, each call in a transaction of its own."""

    def __init__(self, tenant: TestTenant, role: Role, ceiling: frozenset[str] | None = None) -> None:
        self._context = tenant.context(role, ceiling=ceiling)

    async def create(self, **values: Any) -> Rendered:
        made: Rendered = await call(self._context, TeamService, "create", TeamCreate(**values))
        return made

    async def change(self, team_id: UUID, **values: Any) -> Rendered:
        changed: Rendered = await call(self._context, TeamService, "update", team_id, TeamUpdate(**values))
        return changed

    async def add_member(self, team_id: UUID, user_id: UUID) -> Rendered:
        asked = TeamMemberAdd(user_id=user_id)
        added: Rendered = await call(self._context, TeamMemberService, "create", asked, parent_id=team_id)
        return added


class TestRolesOfTeams:
    async def test_a_team_gives_its_role_to_everybody_in_it_and_in_the_teams_below(self, world: World) -> None:
        tenant = await world.tenant()
        top = await made(tenant, "top", role="owner")
        below = await made(tenant, "below", parent_id=top)
        assert (await tenant.viewer.get("/members")).status_code == 403
        await joins(tenant, Role.VIEWER, below)
        assert (await tenant.viewer.get("/members")).status_code == 200

    async def test_it_gives_nothing_to_those_above_and_beside(self, world: World) -> None:
        tenant = await world.tenant()
        top = await made(tenant, "top")
        await made(tenant, "strong", parent_id=top, role="owner")
        beside = await made(tenant, "beside", parent_id=top)
        await joins(tenant, Role.VIEWER, top)
        await joins(tenant, Role.MEMBER, beside)
        for client in (tenant.viewer, tenant.member):
            assert (await client.get("/members")).status_code == 403

    async def test_it_gives_roles_of_the_tenants_own_too(self, world: World) -> None:
        tenant = await world.tenant()
        await role_made(tenant, "auditor", "members:read")
        await joins(tenant, Role.VIEWER, await made(tenant, "auditors", role="auditor"))
        assert (await tenant.viewer.get("/members")).status_code == 200
        assert (await tenant.viewer.get("/teams")).status_code == 403

    async def test_memberships_name_the_teams_and_all_above(self, world: World) -> None:
        tenant, resolver = await world.tenant(), world.assembly.resolver
        top = await made(tenant, "top", role="manager")
        below = await made(tenant, "below", parent_id=top, role="member")
        await made(tenant, "beside", parent_id=top, role="owner")
        await joins(tenant, Role.VIEWER, below)
        membership = await remembered(world, tenant, Role.VIEWER)
        assert (membership.role, membership.teams) == ("viewer", (UUID(below), UUID(top)))
        assert membership.team_roles == ("member", "manager")
        again = [resolver.peek(tenant.people[Role.VIEWER], tenant.id, None, None) for _ in range(2)]
        assert again[0] is again[1]
        assert again[0] == membership

    async def test_whoever_is_in_no_team_is_never_asked_for_teams(self, world: World) -> None:
        tenant, resolver = await world.tenant(), world.assembly.resolver
        await made(tenant, "team", role="owner")
        membership = await remembered(world, tenant, Role.MEMBER)
        world.assembly.runtime.facts.forget(f"teams:{tenant.id}")
        assert resolver.peek(tenant.people[Role.MEMBER], tenant.id, None, None) is membership
        assert (membership.teams, membership.team_roles) == ((), ())

    async def test_without_the_facts_of_teams_nothing_is_answered_from_memory(self, world: World) -> None:
        tenant, resolver = await world.tenant(), world.assembly.resolver
        await joins(tenant, Role.VIEWER, await made(tenant, "team", role="owner"))
        asked = (tenant.people[Role.VIEWER], tenant.id, None, None)
        await remembered(world, tenant, Role.VIEWER)
        world.assembly.runtime.facts.forget(f"teams:{tenant.id}")
        assert resolver.peek(*asked) is None


class TestWhatActsOnTheNextRequest:
    async def auditors(self, world: World) -> tuple[TestTenant, str]:
        """A team that lets the viewer see members, who has just used it."""
        tenant = await world.tenant()
        team = await made(tenant, "owners", role="owner")
        await joins(tenant, Role.VIEWER, team)
        assert (await tenant.viewer.get("/members")).status_code == 200
        return tenant, team

    async def test_leaving_the_team(self, world: World) -> None:
        tenant, team = await self.auditors(world)
        left = await tenant.owner.delete(f"/teams/{team}/members/{tenant.people[Role.VIEWER]}")
        assert left.status_code == 204
        assert (await tenant.viewer.get("/members")).status_code == 403

    async def test_the_role_that_the_team_loses(self, world: World) -> None:
        tenant, team = await self.auditors(world)
        assert (await tenant.owner.patch(f"/teams/{team}", json={"role": None})).json()["role"] is None
        assert (await tenant.viewer.get("/members")).status_code == 403

    async def test_the_end_of_the_team(self, world: World) -> None:
        tenant, team = await self.auditors(world)
        assert (await tenant.owner.delete(f"/teams/{team}")).status_code == 204
        assert (await tenant.viewer.get("/members")).status_code == 403

    async def test_another_place_in_the_tree(self, world: World) -> None:
        tenant = await world.tenant()
        top, team = await made(tenant, "top", role="owner"), await made(tenant, "team")
        await joins(tenant, Role.VIEWER, team)
        assert (await tenant.viewer.get("/members")).status_code == 403
        await moved(tenant, team, top)
        assert (await tenant.viewer.get("/members")).status_code == 200
        await moved(tenant, team, None)
        assert (await tenant.viewer.get("/members")).status_code == 403

    async def test_whoever_leaves_the_tenant_is_not_in_the_team_when_they_come_back(self, world: World) -> None:
        tenant, team = await self.auditors(world)
        viewer = tenant.people[Role.VIEWER]
        await tenant.owner.delete(f"/members/{viewer}")
        await tenant.join(viewer, Role.VIEWER)
        assert (await tenant.viewer.get("/members")).status_code == 403
        assert (await tenant.owner.get(f"/teams/{team}/members")).json()["items"] == []


class TestEscalation:
    """What somebody who may manage teams, and little else, may not turn into more."""

    async def staff(self, tenant: TestTenant) -> AsyncClient:
        await role_made(tenant, "staff", "teams:read", "teams:manage", "members:manage", "members:read")
        return await given(tenant, Role.MANAGER, "staff")

    async def test_nobody_takes_anybody_into_a_team_that_gives_more(self, world: World) -> None:
        tenant = await world.tenant()
        strong = await made(tenant, "strong", role="owner")
        below = await made(tenant, "below", parent_id=strong)
        staff = await self.staff(tenant)
        for team in (strong, below):
            for role in (Role.MANAGER, Role.VIEWER):
                body = {"user_id": str(tenant.people[role])}
                assert refused(await staff.post(f"/teams/{team}/members", json=body)) == (403, "role_above_own")

    async def test_nobody_gives_a_team_a_role_or_a_place_that_is_more(self, world: World) -> None:
        tenant = await world.tenant()
        strong, own = await made(tenant, "strong", role="owner"), await made(tenant, "own")
        await joins(tenant, Role.MANAGER, own)
        staff = await self.staff(tenant)
        for answer in (
            await staff.patch(f"/teams/{own}", json={"role": "owner"}),
            await staff.patch(f"/teams/{own}", json={"parent_id": strong}),
            await staff.post("/teams", json={"name": "x", "role": "manager"}),
        ):
            assert refused(answer) == (403, "role_above_own")
        made_below = await staff.post("/teams", json={"name": "x", "parent_id": strong})
        joined = await staff.post(
            f"/teams/{made_below.json()['id']}/members", json={"user_id": str(tenant.people[Role.MANAGER])}
        )
        assert refused(joined) == (403, "role_above_own")
        assert (await staff.get("/roles")).status_code == 403

    async def test_nobody_takes_a_role_from_those_who_hold_more(self, world: World) -> None:
        tenant = await world.tenant()
        strong = await made(tenant, "strong", role="owner")
        below = await made(tenant, "below", parent_id=strong)
        await joins(tenant, Role.VIEWER, below)
        staff, viewer = await self.staff(tenant), tenant.people[Role.VIEWER]
        for answer in (
            await staff.patch(f"/teams/{strong}", json={"role": None}),
            await staff.patch(f"/teams/{below}", json={"parent_id": None}),
            await staff.delete(f"/teams/{below}"),
            await staff.delete(f"/teams/{below}/members/{viewer}"),
            await staff.patch(f"/members/{viewer}", json={"role": "staff"}),
            await staff.delete(f"/members/{viewer}"),
        ):
            assert refused(answer) == (403, "role_above_own")

    async def test_what_a_team_gives_one_may_pass_on(self, world: World) -> None:
        tenant = await world.tenant()
        await joins(tenant, Role.VIEWER, await made(tenant, "owners", role="owner"))
        answer = await tenant.viewer.patch(f"/members/{tenant.people[Role.MEMBER]}", json={"role": "owner"})
        assert answer.status_code == 200

    async def test_a_key_gives_no_more_than_its_scope(self, world: World) -> None:
        tenant = await world.tenant()
        scoped = Teams(tenant, Role.OWNER, frozenset({"teams:manage"}))
        with pytest.raises(RoleAboveOwn):
            await scoped.create(name="x", role="member")
        strong = await made(tenant, "strong", role="member")
        with pytest.raises(RoleAboveOwn):
            await scoped.add_member(UUID(strong), tenant.people[Role.VIEWER])

    async def test_viewers_members_and_managers_manage_no_teams(self, world: World) -> None:
        tenant = await world.tenant()
        team = await made(tenant, "team")
        for client in (tenant.viewer, tenant.member, tenant.manager):
            for answer in (
                await client.get("/teams"),
                await client.post("/teams", json={"name": "x"}),
                await client.patch(f"/teams/{team}", json={"name": "x"}),
                await client.delete(f"/teams/{new_id()}"),
            ):
                assert refused(answer) == (403, "not_permitted")


class TestTheTree:
    async def test_a_team_stands_neither_in_itself_nor_in_one_below(self, world: World) -> None:
        tenant = await world.tenant()
        top = await made(tenant, "top")
        middle = await made(tenant, "middle", parent_id=top)
        bottom = await made(tenant, "bottom", parent_id=middle)
        for parent in (top, middle, bottom):
            answer = await moved(tenant, top, parent)
            assert refused(answer) == (422, "team_cycle")
            assert answer.json()["errors"][0]["pointer"] == "/parent_id"
        assert (await tenant.owner.get(f"/teams/{top}")).json()["parent_id"] is None

    async def test_of_two_moves_that_would_close_a_circle_one_is_refused(self, world: World) -> None:
        tenant = await world.tenant()
        owner = Teams(tenant, Role.OWNER)
        for number in range(10):
            first, second = UUID(await made(tenant, f"a{number}")), UUID(await made(tenant, f"b{number}"))
            outcomes = await asyncio.gather(
                owner.change(first, parent_id=second),
                owner.change(second, parent_id=first),
                return_exceptions=True,
            )
            assert {type(outcome) for outcome in outcomes} == {Rendered, TeamCycle}

    async def test_twenty_levels_are_enough_and_twenty_one_too_many(self, world: World) -> None:
        tenant = await world.tenant()
        chain: list[str] = []
        for number in range(20):
            chain.append(await made(tenant, f"level {number}", parent_id=chain[-1] if chain else None))
        too_deep = await tenant.owner.post("/teams", json={"name": "21", "parent_id": chain[-1]})
        assert refused(too_deep) == (422, "team_too_deep")
        await joins(tenant, Role.VIEWER, chain[-1])
        await tenant.owner.patch(f"/teams/{chain[0]}", json={"role": "owner"})
        assert (await tenant.viewer.get("/members")).status_code == 200

    async def test_what_is_below_a_team_counts_when_it_moves(self, world: World) -> None:
        tenant = await world.tenant()
        upper: list[str] = []
        for number in range(19):
            upper.append(await made(tenant, f"upper {number}", parent_id=upper[-1] if upper else None))
        pair = await made(tenant, "pair")
        await made(tenant, "below the pair", parent_id=pair)
        owner = Teams(tenant, Role.OWNER)
        with pytest.raises(TeamTooDeep):
            await owner.change(UUID(pair), parent_id=UUID(upper[-1]))
        fits = await owner.change(UUID(pair), parent_id=UUID(upper[-2]))
        assert json.loads(fits.json)["parent_id"] == upper[-2]

    async def test_there_is_a_limit_to_their_number(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        tenant = await world.tenant()
        monkeypatch.setattr(limits, "MAX_TEAMS", 2)
        for number in range(2):
            await made(tenant, str(number))
        assert refused(await tenant.owner.post("/teams", json={"name": "3"})) == (409, "too_many_teams")

    async def test_a_team_with_teams_in_it_stays(self, world: World) -> None:
        tenant = await world.tenant()
        top = await made(tenant, "top")
        below = await made(tenant, "below", parent_id=top)
        assert refused(await tenant.owner.delete(f"/teams/{top}")) == (409, "team_has_teams")
        assert (await tenant.owner.delete(f"/teams/{below}")).status_code == 204
        assert (await tenant.owner.delete(f"/teams/{top}")).status_code == 204


class TestChanging:
    async def test_it_is_where_it_says_and_changes_by_version(self, world: World) -> None:
        tenant = await world.tenant()
        created = await tenant.owner.post("/teams", json={"name": f"  {tenant.canary} "})
        assert (created.status_code, created.json()["name"]) == (201, tenant.canary)
        path = created.headers["location"].removeprefix("/api/v1")
        read = await tenant.owner.get(path)
        assert (read.json(), read.headers["etag"]) == (created.json(), created.headers["etag"])
        old = {"If-Match": created.headers["etag"]}
        changed = await tenant.owner.patch(path, json={"name": "New"}, headers=old)
        assert (changed.status_code, changed.json()["version"]) == (200, 2)
        assert refused(await tenant.owner.patch(path, json={"name": "x"}, headers=old)) == (412, "stale_version")
        assert refused(await tenant.owner.delete(path, headers=old)) == (412, "stale_version")

    async def test_what_changes_nothing_leaves_the_version(self, world: World) -> None:
        tenant = await world.tenant()
        team = await made(tenant, "team")
        answer = await tenant.owner.patch(f"/teams/{team}", json={"parent_id": None, "role": None})
        assert (answer.status_code, answer.json()["version"]) == (200, 1)

    async def test_names_are_unique_in_a_tenant(self, world: World) -> None:
        first, second = await world.two_tenants()
        await made(first, "team")
        body = {"name": f"{first.canary}.team"}
        assert refused(await first.owner.post("/teams", json=body)) == (409, "team_name_taken")
        assert (await second.owner.post("/teams", json=body)).status_code == 201

    async def test_an_unknown_role_is_pointed_at(self, world: World) -> None:
        tenant = await world.tenant()
        answer = await tenant.owner.post("/teams", json={"name": "x", "role": "nobody"})
        assert refused(answer) == (422, "unknown_role")
        assert answer.json()["errors"][0]["pointer"] == "/role"


class TestWhoIsInThem:
    async def test_members_come_and_go(self, world: World) -> None:
        tenant = await world.tenant()
        team, viewer = await made(tenant, "team"), str(tenant.people[Role.VIEWER])
        added = await tenant.owner.post(f"/teams/{team}/members", json={"user_id": viewer})
        assert (added.status_code, added.json()["user_id"]) == (201, viewer)
        again = await tenant.owner.post(f"/teams/{team}/members", json={"user_id": viewer})
        assert refused(again) == (409, "already_in_team")
        assert [item["id"] for item in (await tenant.owner.get(f"/teams/{team}/members")).json()["items"]] == [viewer]
        path = f"/teams/{team}/members/{viewer}"
        assert (await tenant.owner.delete(path)).status_code == 204
        assert refused(await tenant.owner.delete(path)) == (404, "team_member_not_found")

    async def test_the_list_of_members_tells_their_teams(self, world: World) -> None:
        tenant = await world.tenant()
        top = await made(tenant, "top")
        teams = [await made(tenant, name, parent_id=top) for name in ("b", "a")]
        for team in teams:
            await joins(tenant, Role.VIEWER, team)
        expected = [
            {"id": teams[1], "name": f"{tenant.canary}.a"},
            {"id": teams[0], "name": f"{tenant.canary}.b"},
        ]
        viewer = str(tenant.people[Role.VIEWER])
        assert (await tenant.owner.get(f"/members/{viewer}")).json()["teams"] == expected
        listed = {one["id"]: one["teams"] for one in (await tenant.owner.get("/members")).json()["items"]}
        assert listed.pop(viewer) == expected
        assert list(listed.values()) == [[], [], []]


class TestOtherTenants:
    async def test_what_is_foreign_is_like_what_is_nowhere(self, world: World) -> None:
        first, second = await world.two_tenants()
        own, foreign = await made(first, "own"), await made(second, "foreign", role="owner")
        await joins(second, Role.VIEWER, foreign)
        stranger = str(second.people[Role.VIEWER])
        for team, person in ((foreign, stranger), (str(new_id()), str(new_id()))):
            for answer in (
                await first.owner.get(f"/teams/{team}"),
                await first.owner.patch(f"/teams/{team}", json={"name": "x"}),
                await first.owner.delete(f"/teams/{team}"),
                await first.owner.get(f"/teams/{team}/members"),
                await first.owner.post(f"/teams/{team}/members", json={"user_id": str(first.people[Role.VIEWER])}),
                await first.owner.delete(f"/teams/{team}/members/{person}"),
            ):
                assert refused(answer) == (404, "team_not_found")
            assert refused(await moved(first, own, team)) == (422, "unknown_parent")
            added = await first.owner.post(f"/teams/{own}/members", json={"user_id": person})
            assert refused(added) == (422, "unknown_member")
        assert [one["id"] for one in (await first.owner.get("/teams")).json()["items"]] == [own]


class TestLists:
    async def test_they_are_paged_by_cursor_filtered_and_searched(self, world: World) -> None:
        tenant = await world.tenant()
        top = await made(tenant, "0")
        names = [f"{tenant.canary}.{number}" for number in range(5)]
        for number in range(1, 5):
            await made(tenant, str(number), parent_id=top)
        found, cursor = [], None
        while True:
            params = {"page_size": "2", "sort": "-name"} | ({"cursor": cursor} if cursor else {})
            page = (await tenant.owner.get("/teams", params=params)).json()
            found += [item["name"] for item in page["items"]]
            cursor = page["page"]["next_cursor"]
            if cursor is None:
                break
        assert found == names[::-1]
        below = await tenant.owner.get("/teams", params={"filter[parent_id]": top, "with_total": "true"})
        assert below.json()["page"]["total"] == 4
        searched = await tenant.owner.get("/teams", params={"search": f"{tenant.canary}.3"})
        assert [item["name"] for item in searched.json()["items"]] == [names[3]]


class TestTrail:
    async def test_every_change_leaves_a_line(self, world: World) -> None:
        tenant = await world.tenant()
        team = await made(tenant, "team", role="viewer")
        viewer = tenant.people[Role.VIEWER]
        await joins(tenant, Role.VIEWER, team)
        await tenant.owner.patch(f"/teams/{team}", json={"role": None})
        await tenant.owner.delete(f"/teams/{team}/members/{viewer}")
        await tenant.owner.delete(f"/teams/{team}")
        lines = await trail(world, tenant, UUID(team))
        assert [line["action"] for line in lines] == [
            "teams.created",
            "teams.member_added",
            "teams.updated",
            "teams.member_removed",
            "teams.deleted",
        ]
        assert (lines[2]["before"], lines[2]["after"]) == ('{"role": "viewer"}', '{"role": null}')
        assert str(viewer) in lines[1]["after"]
        assert str(viewer) in lines[3]["before"]
