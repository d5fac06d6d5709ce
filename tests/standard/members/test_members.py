"""Who belongs to a tenant: adding, changing, removing, and what nobody may do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest
from tests.people import LetterBox, invite, someone
from tests.standard.roles.own_roles import trail

from tenantry.access import AccessContext, NotPermitted
from tenantry.access.subjects import BUILT_IN_IDS
from tenantry.kernel import TenantryError, new_id
from tenantry.resources import Rendered
from tenantry.standard.members import Members, MemberService, RoleChange
from tenantry.tenancy import (
    AlreadyMember,
    LastOwner,
    NotAMember,
    Role,
    RoleAboveOwn,
    UnknownUser,
)
from tenantry.testing import TestTenant, World, call

pytestmark = pytest.mark.anyio


async def roles(tenant: TestTenant) -> dict[str, str]:
    items = (await tenant.owner.get("/members")).json()["items"]
    return {item["user_id"]: item["role"] for item in items}


async def roles_at(tenant: TestTenant) -> dict[UUID, str]:
    """The roles as the application itself reads them, whoever is left."""
    read = {user_id: await call(tenant.system, MemberService, "read", user_id) for user_id in tenant.people.values()}
    return {user_id: json.loads(member.json)["role"] for user_id, member in read.items()}


async def change_role(context: AccessContext, user_id: UUID, role: str) -> Rendered:
    changed: Rendered = await call(context, MemberService, "update", user_id, RoleChange(role=str(role)))
    return changed


class LeavingInBetween(Members):
    """The service, with a member who leaves between its two transactions."""

    def __init__(self, world: World, remover: AccessContext) -> None:
        self.__dict__.update(vars(world.assembly.services.members))
        self._remover = remover

    async def _start_afresh(self, context: AccessContext, user_id: UUID) -> bool:
        is_fresh = await super()._start_afresh(context, user_id)
        await self.remove(self._remover, user_id)
        return is_fresh


class TestAdding:
    """Nobody becomes a member without their consent, and nobody learns who has an account."""

    async def test_a_person_is_a_member_once_they_accept(self, elsewhere: World, letters: LetterBox) -> None:
        tenant, who = await elsewhere.tenant(), await someone(elsewhere)
        answer = await tenant.owner.post("/members", json={"email": who.email.upper(), "role": "member"})
        assert answer.status_code == 202
        assert str(who.id) not in await roles(tenant)
        assert (await who.client(tenant.id).get("/tenant")).json()["code"] == "not_a_member"
        token = await letters.token_for(who.email)
        assert (await who.client().post("/invitations/accept", json={"token": token})).status_code == 200
        assert (await roles(tenant))[str(who.id)] == "member"

    async def test_known_unverified_and_unknown_addresses_are_answered_alike(
        self, elsewhere: World, letters: LetterBox
    ) -> None:
        tenant = await elsewhere.tenant()
        known, unverified = await someone(elsewhere), await someone(elsewhere, is_verified=False)
        told = []
        for email in (known.email, unverified.email, f"nobody.{tenant.slug}@people.test"):
            answer = await tenant.owner.post("/members", json={"email": email, "role": "owner"})
            body = answer.json()
            assert (body["email"], body["role"]) == (email, "owner")
            told.append((answer.status_code, sorted(body), sorted(answer.headers)))
            assert await letters.token_for(email)
        assert told == [told[0]] * 3
        assert told[0][:2] == (202, ["created_at", "email", "expires_at", "id", "invited_by", "role"])

    async def test_nobody_is_named_by_an_id(self, world: World) -> None:
        tenant, who = await world.tenant(), await someone(world)
        for body in ({"role": "member"}, {"role": "member", "user_id": str(who.id)}):
            assert (await tenant.owner.post("/members", json=body)).status_code == 422

    async def test_a_member_is_not_invited_again(self, world: World) -> None:
        tenant, who = await world.tenant(), await someone(world)
        await tenant.join(who.id)
        answer = await tenant.owner.post("/members", json={"email": who.email, "role": "owner"})
        assert (answer.status_code, answer.json()["code"]) == (409, "already_member")

    async def test_a_repeated_request_mails_once(self, elsewhere: World, letters: LetterBox) -> None:
        tenant, who = await elsewhere.tenant(), await someone(elsewhere)
        body, headers = {"email": who.email, "role": "member"}, {"Idempotency-Key": "once"}
        answers = [await tenant.owner.post("/members", json=body, headers=headers) for _ in range(3)]
        assert {(answer.status_code, answer.text) for answer in answers} == {(202, answers[0].text)}
        await letters.token_for(who.email)
        assert [mail.to for mail in letters.mails].count(who.email) == 1
        other = await tenant.owner.post("/members", json=body | {"role": "owner"}, headers=headers)
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")

    async def test_trusted_code_adds_a_verified_person_at_once(self, world: World) -> None:
        tenant, who = await world.tenant(), await someone(world)
        attempts = [world.assembly.services.members.add(tenant.system, who.id, "member") for _ in range(5)]
        results = await asyncio.gather(*attempts, return_exceptions=True)
        assert sorted(type(one).__name__ for one in results) == ["AlreadyMember"] * 4 + ["Rendered"]
        for user_id in ((await someone(world, is_verified=False)).id, new_id()):
            with pytest.raises(UnknownUser):
                await tenant.join(user_id)

    @pytest.mark.parametrize("role", ["superadmin", "OWNER", "", None, 1])
    async def test_an_unknown_role_is_refused(self, world: World, role: object) -> None:
        tenant, who = await world.tenant(), await someone(world)
        answer = await tenant.owner.post("/members", json={"email": who.email, "role": role})
        assert answer.status_code == 422


class TestComingBack:
    """What somebody was granted before they left is forgotten before they come back, and nobody else's."""

    def forgetting(self, world: World, forgotten: list[tuple[UUID, UUID]]) -> Members:
        async def forget(tenant_id: UUID, user_id: UUID) -> None:
            forgotten.append((tenant_id, user_id))

        return Members(world.assembly.runtime, forget_grants=forget, tenant_of=world.assembly.resolver.named)

    async def test_a_person_who_is_no_member_starts_afresh(self, world: World) -> None:
        tenant, who = await world.tenant(), await someone(world)
        forgotten: list[tuple[UUID, UUID]] = []
        members = self.forgetting(world, forgotten)
        await members.add(tenant.system, who.id, Role.VIEWER)
        assert forgotten == [(tenant.id, who.id)]

    async def test_adding_a_member_again_forgets_nothing(self, world: World) -> None:
        tenant = await world.tenant()
        forgotten: list[tuple[UUID, UUID]] = []
        members = self.forgetting(world, forgotten)
        with pytest.raises(AlreadyMember):
            await members.add(tenant.system, tenant.people[Role.VIEWER], Role.VIEWER)
        assert forgotten == []

    async def test_what_is_no_person_is_forgotten_nothing(self, world: World) -> None:
        tenant = await world.tenant()
        team = (await tenant.owner.post("/teams", json={"name": tenant.canary})).json()["id"]
        forgotten: list[tuple[UUID, UUID]] = []
        members = self.forgetting(world, forgotten)
        for subject in (UUID(team), BUILT_IN_IDS["viewer"], new_id()):
            with pytest.raises(UnknownUser):
                await members.add(tenant.system, subject, Role.VIEWER)
        assert forgotten == []


class TestManaging:
    @pytest.mark.parametrize("role", [Role.MANAGER, Role.MEMBER, Role.VIEWER])
    async def test_only_owners_manage_members(self, world: World, role: Role) -> None:
        tenant, who = await world.tenant(), await someone(world)
        before = await roles(tenant)
        client, victim = tenant.as_(role), tenant.people[Role.OWNER]
        answers = [
            await client.get("/members"),
            await client.post("/members", json={"email": who.email, "role": "viewer"}),
            await client.patch(f"/members/{tenant.people[role]}", json={"role": "owner"}),
            await client.patch(f"/members/{victim}", json={"role": "viewer"}),
            await client.delete(f"/members/{victim}"),
            await client.delete(f"/members/{new_id()}"),
            await client.get("/invitations"),
            await client.post("/invitations", json={"email": who.email, "role": "owner"}),
            await client.delete(f"/invitations/{new_id()}"),
        ]
        assert [answer.status_code for answer in answers] == [403] * len(answers)
        assert await roles(tenant) == before

    async def test_an_owner_of_one_tenant_reaches_no_member_of_another(self, world: World) -> None:
        first, second = await world.two_tenants()
        before = await roles(second)
        for client, refused in ((first.owner, (404, "member_not_found")), (first.viewer, (403, "not_permitted"))):
            for user_id in (second.people[Role.VIEWER], new_id()):
                answers = [
                    await client.get(f"/members/{user_id}"),
                    await client.patch(f"/members/{user_id}", json={"role": "owner"}),
                    await client.delete(f"/members/{user_id}"),
                ]
                assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {refused}
        assert await roles(second) == before
        listed = (await first.owner.get("/members", params={"page_size": 200})).text
        assert not any(str(user_id) in listed for user_id in second.people.values())

    async def test_a_new_role_holds_at_once_here_and_within_a_second_elsewhere(
        self, world: World, elsewhere: World
    ) -> None:
        tenant = await world.tenant()
        token = {"Authorization": f"Bearer {tenant.tokens[Role.MANAGER]}", "X-Tenant-Id": str(tenant.id)}
        here, there = world.client(token), elsewhere.client(token)
        for client in (here, there):
            assert (await client.get("/members")).status_code == 403
        changed = await tenant.owner.patch(f"/members/{tenant.people[Role.MANAGER]}", json={"role": "owner"})
        assert changed.json()["role"] == "owner"
        assert (await here.get("/members")).status_code == 200
        await answers(there, "/members", 200)

    async def test_a_removed_member_is_out_at_once_here_and_within_a_second_elsewhere(
        self, world: World, elsewhere: World
    ) -> None:
        tenant = await world.tenant()
        token = {"Authorization": f"Bearer {tenant.tokens[Role.VIEWER]}", "X-Tenant-Id": str(tenant.id)}
        here, there = world.client(token), elsewhere.client(token)
        for client in (here, there):
            assert (await client.get("/tenant")).status_code == 200
        assert (await tenant.owner.delete(f"/members/{tenant.people[Role.VIEWER]}")).status_code == 204
        assert (await here.get("/tenant")).json()["code"] == "not_a_member"
        await answers(there, "/tenant", 403)

    async def test_the_role_that_one_has_already_changes_nothing(self, world: World) -> None:
        tenant = await world.tenant()
        path = f"/members/{tenant.people[Role.VIEWER]}"
        before = (await tenant.owner.get(path)).json()
        assert (await tenant.owner.patch(path, json={"role": "viewer"})).json() == before

    async def test_everybody_may_leave(self, world: World) -> None:
        tenant = await world.tenant()
        viewer = tenant.people[Role.VIEWER]
        assert (await tenant.viewer.delete(f"/members/{viewer}")).status_code == 204
        assert str(viewer) not in await roles(tenant)

    async def test_a_person_leaves_but_no_key_with_a_scope_does_it_for_them(self, world: World) -> None:
        tenant = await world.tenant()
        viewer = tenant.people[Role.VIEWER]
        own = tenant.context(Role.VIEWER).principal.permissions
        for ceiling in (frozenset[str](), frozenset({"members:manage"}), own, own | {"members:manage"}):
            with pytest.raises(NotPermitted):
                await call(tenant.context(Role.VIEWER, ceiling=ceiling), MemberService, "delete", viewer)
        assert (await roles(tenant))[str(viewer)] == "viewer"
        await call(tenant.context(Role.VIEWER), MemberService, "delete", viewer)
        assert str(viewer) not in await roles(tenant)

    async def test_whoever_leaves_while_they_are_added_again_does_not_come_back_with_their_old_grants(
        self, world: World
    ) -> None:
        tenant = await world.tenant()
        member, owner = tenant.people[Role.MEMBER], tenant.context(Role.OWNER)
        members = LeavingInBetween(world, owner)
        with pytest.raises(AlreadyMember):
            await members.add(owner, member, "member")
        assert str(member) not in await roles(tenant)
        await world.assembly.services.members.add(owner, member, "member")
        assert (await roles(tenant))[str(member)] == "member"

    async def test_a_change_by_an_old_version_is_refused(self, world: World) -> None:
        tenant = await world.tenant()
        path = f"/members/{tenant.people[Role.VIEWER]}"
        read = await tenant.owner.get(path)
        assert (read.headers["etag"], read.json()["version"]) == ('"1"', 1)
        seen = {"If-Match": read.headers["etag"]}
        changed = await tenant.owner.patch(path, json={"role": "member"}, headers=seen)
        assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
        stale = [
            await tenant.owner.patch(path, json={"role": "manager"}, headers=seen),
            await tenant.owner.delete(path, headers=seen),
            await tenant.viewer.delete(path, headers=seen),
        ]
        assert [answer.status_code for answer in stale] == [412] * 3
        assert (await tenant.owner.get(path, headers={"If-None-Match": '"2"'})).status_code == 304
        assert (await tenant.owner.delete(path, headers={"If-Match": '"2"'})).status_code == 204

    async def test_the_trail_tells_who_came_changed_and_went(self, world: World) -> None:
        tenant, who = await world.tenant(), await someone(world)
        await tenant.join(who.id, Role.VIEWER)
        await tenant.owner.patch(f"/members/{who.id}", json={"role": "member"})
        await tenant.owner.delete(f"/members/{who.id}")
        lines = [
            (line["action"], json.loads(line["before"] or "null"), json.loads(line["after"] or "null"))
            for line in await trail(world, tenant, who.id)
        ]
        assert lines == [
            ("members.added", None, {"role": "viewer", "user_id": str(who.id)}),
            ("members.role_changed", {"role": "viewer"}, {"role": "member"}),
            ("members.removed", {"role": "member", "user_id": str(who.id)}, None),
        ]

    async def test_a_list_is_sorted_and_searched_by_people_and_names_their_teams(self, world: World) -> None:
        tenant, who = await world.tenant(), await someone(world)
        await tenant.join(who.id, Role.VIEWER)
        for name in (f"{tenant.canary}.b", f"{tenant.canary}.a"):
            team = (await tenant.owner.post("/teams", json={"name": name})).json()["id"]
            await tenant.owner.post(f"/teams/{team}/members", json={"user_id": str(who.id)})
        [found] = (await tenant.owner.get("/members", params={"search": who.email})).json()["items"]
        assert [team["name"] for team in found["teams"]] == [f"{tenant.canary}.a", f"{tenant.canary}.b"]
        items = (await tenant.owner.get("/members", params={"sort": "name", "page_size": "50"})).json()["items"]
        assert [item["name"] for item in items] == sorted(item["name"] for item in items)
        assert [item["teams"] for item in items if item["id"] != str(who.id)] == [[]] * 4


async def answers(client: object, path: str, status: int) -> None:
    for _ in range(100):
        answer = await client.get(path)  # type: ignore[attr-defined]
        if answer.status_code == status:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{path} is not {status} within a second")


class TestTheLastOwner:
    async def test_stays(self, world: World) -> None:
        tenant = await world.tenant()
        owner = tenant.people[Role.OWNER]
        left = await tenant.owner.delete(f"/members/{owner}")
        demoted = await tenant.owner.patch(f"/members/{owner}", json={"role": "manager"})
        assert [(a.status_code, a.json()["code"]) for a in (left, demoted)] == [(409, "last_owner")] * 2
        assert (await roles(tenant))[str(owner)] == "owner"

    async def test_may_go_once_there_is_another(self, world: World) -> None:
        tenant = await world.tenant()
        await tenant.owner.patch(f"/members/{tenant.people[Role.MANAGER]}", json={"role": "owner"})
        assert (await tenant.owner.delete(f"/members/{tenant.people[Role.OWNER]}")).status_code == 204

    async def test_of_two_owners_who_demote_each_other_one_is_refused(self, world: World) -> None:
        for _ in range(20):
            tenant = await world.tenant()
            first, second = tenant.people[Role.OWNER], tenant.people[Role.MANAGER]
            await change_role(tenant.system, second, Role.OWNER)
            pair = await asyncio.gather(
                change_role(as_member(tenant, Role.OWNER, first), second, Role.MEMBER),
                change_role(as_member(tenant, Role.OWNER, second), first, Role.MEMBER),
                return_exceptions=True,
            )
            assert {type(result) for result in pair} == {Rendered, RoleAboveOwn}
            assert list((await roles_at(tenant)).values()).count("owner") == 1

    async def test_of_two_owners_who_step_down_at_once_one_is_refused(self, world: World) -> None:
        for _ in range(20):
            tenant = await world.tenant()
            pair = [tenant.people[Role.OWNER], tenant.people[Role.MANAGER]]
            await change_role(tenant.system, pair[1], Role.OWNER)
            results = await asyncio.gather(
                *(change_role(as_member(tenant, Role.OWNER, one), one, Role.MEMBER) for one in pair),
                return_exceptions=True,
            )
            assert {type(result) for result in results} == {Rendered, LastOwner}
            assert list((await roles_at(tenant)).values()).count("owner") == 1

    async def test_of_many_owners_who_all_leave_at_once_one_stays(self, world: World) -> None:
        tenant = await world.tenant()
        owners = list(tenant.people.values())
        for user_id in owners[1:]:
            await tenant.owner.patch(f"/members/{user_id}", json={"role": "owner"})
        answers = await asyncio.gather(
            *(tenant.as_(role).delete(f"/members/{user_id}") for role, user_id in tenant.people.items())
        )
        assert sorted(answer.status_code for answer in answers) == [204, 204, 204, 409]

    async def test_an_owner_whose_account_is_closed_does_not_count(self, world: World) -> None:
        tenant = await world.tenant()
        other = await someone(world)
        await tenant.join(other.id, Role.OWNER)
        assert (await other.client().delete(f"/users/{other.id}")).status_code == 204
        left = await tenant.owner.delete(f"/members/{tenant.people[Role.OWNER]}")
        assert (left.status_code, left.json()["code"]) == (409, "last_owner")


def as_member(tenant: TestTenant, role: Role, user_id: UUID | None = None) -> AccessContext:
    """Somebody with this role who may manage members, as by a role of a team."""
    context = tenant.context(role, user_id=user_id)
    permissions = context.principal.permissions | {"members:manage"}
    return replace(context, principal=replace(context.principal, permissions=permissions))


class TestRanks:
    """What holds whoever is given the permission to manage members, as a tenant's own roles may be."""

    async def test_nobody_gives_a_role_above_their_own(self, world: World) -> None:
        tenant, who = await world.tenant(), await someone(world)
        services, manager = world.assembly.services, as_member(tenant, Role.MANAGER)
        attempts = (
            services.members.add(manager, who.id, Role.OWNER),
            change_role(manager, tenant.people[Role.VIEWER], Role.OWNER),
            change_role(manager, tenant.people[Role.MANAGER], Role.OWNER),
            invite(manager, who.email, Role.OWNER),
        )
        assert await refusals(attempts) == [RoleAboveOwn] * len(attempts)

    async def test_nobody_touches_a_member_above_themselves(self, world: World) -> None:
        tenant = await world.tenant()
        await tenant.owner.patch(f"/members/{tenant.people[Role.VIEWER]}", json={"role": "owner"})
        members, manager = world.assembly.services.members, as_member(tenant, Role.MANAGER)
        owner = tenant.people[Role.OWNER]
        attempts = (change_role(manager, owner, Role.VIEWER), members.remove(manager, owner))
        assert await refusals(attempts) == [RoleAboveOwn] * 2

    async def test_who_may_not_touch_an_owner_is_not_told_that_there_is_one_only(self, world: World) -> None:
        tenant = await world.tenant()
        members, manager = world.assembly.services.members, as_member(tenant, Role.MANAGER)
        owner = tenant.people[Role.OWNER]
        attempts = (change_role(manager, owner, Role.VIEWER), members.remove(manager, owner))
        assert await refusals(attempts) == [RoleAboveOwn] * 2

    async def test_a_manager_may_give_what_managers_have(self, world: World) -> None:
        tenant, who = await world.tenant(), await someone(world)
        members, manager = world.assembly.services.members, as_member(tenant, Role.MANAGER)
        added = await members.add(manager, who.id, Role.MANAGER)
        assert (await roles(tenant))[str(added.id)] == "manager"

    async def test_a_role_that_was_lost_since_the_request_was_admitted_gives_nothing(self, world: World) -> None:
        tenant, who = await world.tenant(), await someone(world)
        members = world.assembly.services.members
        admitted = as_member(tenant, Role.OWNER, tenant.people[Role.MANAGER])  # was owner a moment ago
        gone = as_member(tenant, Role.OWNER, who.id)  # was a member a moment ago
        viewer = tenant.people[Role.VIEWER]
        attempts = (
            members.add(admitted, who.id, Role.OWNER),
            change_role(admitted, viewer, Role.OWNER),
            members.add(gone, who.id, Role.VIEWER),
            members.remove(gone, viewer),
        )
        assert await refusals(attempts) == [RoleAboveOwn, RoleAboveOwn, NotAMember, NotAMember]

    async def test_the_application_itself_keeps_the_last_owner_too(self, world: World) -> None:
        tenant = await world.tenant()
        with pytest.raises(LastOwner):
            await world.assembly.services.members.remove(tenant.system, tenant.people[Role.OWNER])


async def refusals(attempts: Sequence[object]) -> list[type[BaseException]]:
    found: list[type[BaseException]] = []
    for attempt in attempts:
        try:
            await attempt  # type: ignore[misc]
        except TenantryError as error:
            found.append(type(error))
    return found
