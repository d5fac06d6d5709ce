"""Roles of a tenant's own: what they give, who may make and give them, and how soon a change acts."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from tests.standard.roles.own_roles import acting_as, by_hand, given, key_of, made, refused, role_of, trail

from tenantry.access.errors import RoleInUse
from tenantry.kernel import new_id
from tenantry.resources import Rendered
from tenantry.standard.members import MemberService, RoleChange
from tenantry.standard.roles import RoleService, RoleUpdate
from tenantry.standard.roles import service as limits
from tenantry.tenancy import Role
from tenantry.testing import World, call

pytestmark = pytest.mark.anyio


class TestHolding:
    async def test_a_member_may_do_what_the_role_gives_and_nothing_else(self, world: World) -> None:
        tenant = await world.tenant()
        await made(tenant, "auditor", "members:read", "roles:read")
        auditor = await given(tenant, Role.MEMBER, "auditor")
        assert (await auditor.get("/members")).status_code == 200
        assert (await auditor.get("/roles")).status_code == 200
        assert refused(await auditor.post("/roles", json={"name": "x"})) == (403, "not_permitted")
        assert refused(await auditor.get("/teams")) == (403, "not_permitted")
        assert refused(await auditor.post("/projects", json={"name": "x"})) == (403, "not_permitted")

    async def test_the_same_name_in_another_tenant_means_nothing_here(self, world: World) -> None:
        first, second = await world.two_tenants()
        await made(first, "auditor", "members:read")
        answer = await second.owner.patch(f"/members/{second.people[Role.VIEWER]}", json={"role": "auditor"})
        assert refused(answer) == (422, "unknown_role")
        assert answer.json()["errors"][0]["pointer"] == "/role"
        await made(second, "auditor")
        auditor = await given(second, Role.VIEWER, "auditor")
        assert (await auditor.get("/members")).status_code == 403

    async def test_a_star_stands_for_every_verb_and_own_for_own_records(self, world: World) -> None:
        tenant = await world.tenant()
        await made(tenant, "clerk", "items:*", "tasks:read:own")
        clerk = await given(tenant, Role.VIEWER, "clerk")
        assert (await clerk.post("/items", json={"name": tenant.canary, "price_cents": 5})).status_code == 201
        assert (await clerk.get("/tasks")).json()["items"] == []

    async def test_members_are_added_and_invited_with_roles_of_ones_own(self, world: World) -> None:
        tenant = await world.tenant()
        await made(tenant, "auditor", "members:read")
        person = await world.person(f"auditor.{new_id().hex[-8:]}")
        await tenant.join(person, "auditor")
        assert (await tenant.owner.get(f"/members/{person}")).json()["role"] == "auditor"
        invited = await tenant.owner.post("/invitations", json={"email": "a@invited.test", "role": "auditor"})
        assert (invited.status_code, invited.json()["role"]) == (201, "auditor")
        nowhere = await tenant.owner.post("/invitations", json={"email": "b@invited.test", "role": "nobody"})
        assert refused(nowhere) == (422, "unknown_role")


class TestWhatActsOnTheNextRequest:
    async def test_a_permission_that_the_role_loses(self, world: World) -> None:
        tenant = await world.tenant()
        role = await made(tenant, "auditor", "members:read")
        auditor = await given(tenant, Role.MEMBER, "auditor")
        assert (await auditor.get("/members")).status_code == 200
        assert (await tenant.owner.patch(f"/roles/{role['id']}", json={"permissions": []})).status_code == 200
        assert (await auditor.get("/members")).status_code == 403

    async def test_a_permission_that_the_role_gets(self, world: World) -> None:
        tenant = await world.tenant()
        role = await made(tenant, "auditor")
        auditor = await given(tenant, Role.MEMBER, "auditor")
        assert (await auditor.get("/members")).status_code == 403
        await tenant.owner.patch(f"/roles/{role['id']}", json={"permissions": ["members:read"]})
        assert (await auditor.get("/members")).status_code == 200

    async def test_for_keys_of_service_accounts_too(self, world: World) -> None:
        tenant = await world.tenant()
        role = await made(tenant, "auditor", "members:read")
        account = await tenant.owner.post("/service-accounts", json={"name": tenant.canary, "role": "auditor"})
        key = await key_of(tenant, account.json()["id"])
        path = f"/roles/{role['id']}"
        assert (await key.get("/members")).status_code == 200
        assert (await tenant.owner.patch(path, json={"name": "inspector"})).status_code == 200
        assert (await key.get("/members")).status_code == 200
        assert (await tenant.owner.patch(path, json={"permissions": []})).status_code == 200
        assert (await key.get("/members")).status_code == 403

    async def test_another_role(self, world: World) -> None:
        tenant = await world.tenant()
        await made(tenant, "auditor", "members:read")
        auditor = await given(tenant, Role.MEMBER, "auditor")
        assert (await auditor.get("/members")).status_code == 200
        await given(tenant, Role.MEMBER, "member")
        assert (await auditor.get("/members")).status_code == 403


class TestNames:
    @pytest.mark.parametrize("name", ["owner", "OWNER", "Viewer", "superadmin", "\uff4fwner", " manager "])
    async def test_what_can_be_taken_for_a_built_in_role_is_taken(self, world: World, name: str) -> None:
        tenant = await world.tenant()
        assert refused(await tenant.owner.post("/roles", json={"name": name})) == (409, "role_name_taken")

    async def test_they_are_unique_whatever_their_case(self, world: World) -> None:
        tenant = await world.tenant()
        auditor = await made(tenant, "Auditor")
        other = await made(tenant, "Other")
        assert refused(await tenant.owner.post("/roles", json={"name": "aUDITOR"})) == (409, "role_name_taken")
        renamed = await tenant.owner.patch(f"/roles/{other['id']}", json={"name": "AUDITOR"})
        assert refused(renamed) == (409, "role_name_taken")
        own_case = await tenant.owner.patch(f"/roles/{auditor['id']}", json={"name": "auditor"})
        assert own_case.status_code == 200

    @pytest.mark.parametrize("name", ["", "   ", "x" * 51, "a\nb", "a\u202eb"])
    async def test_they_are_short_and_printable(self, world: World, name: str) -> None:
        tenant = await world.tenant()
        assert (await tenant.owner.post("/roles", json={"name": name})).status_code == 422

    async def test_of_many_who_make_the_same_role_at_once_one_does(self, world: World) -> None:
        tenant = await world.tenant()
        answers = await asyncio.gather(*(tenant.owner.post("/roles", json={"name": "auditor"}) for _ in range(5)))
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]


class TestRenaming:
    async def test_everybody_who_holds_the_role_is_taken_along(self, world: World) -> None:
        tenant = await world.tenant()
        role = await made(tenant, "auditor", "members:read")
        auditor = await given(tenant, Role.MEMBER, "auditor")
        team = (await tenant.owner.post("/teams", json={"name": tenant.canary, "role": "auditor"})).json()
        people = [str(tenant.people[Role.VIEWER]), str(tenant.people[Role.MANAGER])]
        await tenant.owner.post(f"/teams/{team['id']}/members", json={"user_id": people[0]})
        await tenant.owner.post("/invitations", json={"email": "c@invited.test", "role": "auditor"})
        account = await tenant.owner.post("/service-accounts", json={"name": tenant.canary, "role": "auditor"})
        assert account.status_code == 201, account.text
        assert [(await client.get("/members")).status_code for client in (auditor, tenant.viewer)] == [200, 200]
        renamed = await tenant.owner.patch(f"/roles/{role['id']}", json={"name": "inspector"})
        assert (renamed.status_code, renamed.json()["name"]) == (200, "inspector")
        assert [(await client.get("/members")).status_code for client in (auditor, tenant.viewer)] == [200, 200]
        assert await role_of(tenant, Role.MEMBER) == "inspector"
        assert (await tenant.owner.get(f"/teams/{team['id']}")).json()["role"] == "inspector"
        [invitation] = (await tenant.owner.get("/invitations")).json()["items"]
        assert invitation["role"] == "inspector"
        path = f"/service-accounts/{account.json()['id']}"
        assert (await tenant.owner.get(path)).json()["role"] == "inspector"

    async def test_whoever_gets_the_old_name_later_gets_nobody_with_it(self, world: World) -> None:
        tenant = await world.tenant()
        role = await made(tenant, "auditor", "members:read")
        auditor = await given(tenant, Role.MEMBER, "auditor")
        await tenant.owner.patch(f"/roles/{role['id']}", json={"name": "inspector", "permissions": []})
        await made(tenant, "auditor", "members:read", "members:manage")
        assert (await auditor.get("/members")).status_code == 403

    async def test_a_role_that_is_given_while_it_is_renamed_is_never_lost(self, world: World) -> None:
        tenant = await world.tenant()
        owner, member = acting_as(tenant, Role.OWNER), tenant.people[Role.MEMBER]
        for number in range(10):
            role = UUID((await made(tenant, f"old {number}", "members:read"))["id"])
            outcomes = await asyncio.gather(
                call(owner, MemberService, "update", member, RoleChange(role=f"old {number}")),
                call(owner, RoleService, "update", role, RoleUpdate.model_validate({"name": f"new {number}"})),
                return_exceptions=True,
            )
            given_, renamed = outcomes
            assert isinstance(renamed, Rendered), renamed
            if isinstance(given_, BaseException):
                assert getattr(given_, "code", None) == "unknown_role", given_
            else:
                assert await role_of(tenant, Role.MEMBER) == f"new {number}"


class TestFailingClosed:
    async def test_a_role_that_is_no_more_holds_nothing(self, world: World) -> None:
        tenant = await world.tenant()
        await made(tenant, "auditor", "members:read", "projects:read")
        auditor = await given(tenant, Role.MEMBER, "auditor")
        team = (await tenant.owner.post("/teams", json={"name": tenant.canary, "role": "auditor"})).json()["id"]
        await tenant.owner.post(f"/teams/{team}/members", json={"user_id": str(tenant.people[Role.VIEWER])})
        assert [(await client.get("/members")).status_code for client in (auditor, tenant.viewer)] == [200, 200]
        await by_hand(world, tenant, "DELETE FROM control.roles")
        world.assembly.runtime.facts.clear()
        assert [(await client.get("/members")).status_code for client in (auditor, tenant.viewer)] == [403, 403]
        assert refused(await auditor.get("/projects")) == (403, "not_permitted")
        assert (await tenant.viewer.get("/projects")).status_code == 200
        viewer = tenant.people[Role.VIEWER]
        assert (await tenant.owner.delete(f"/teams/{team}/members/{viewer}")).status_code == 204
        assert (await tenant.owner.patch(f"/teams/{team}", json={"role": None})).status_code == 200
        assert await given(tenant, Role.MEMBER, "member")

    async def test_there_is_a_limit_to_their_number(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        tenant = await world.tenant()
        monkeypatch.setattr(limits, "MAX_ROLES", 2)
        for number in range(2):
            await made(tenant, str(number))
        assert refused(await tenant.owner.post("/roles", json={"name": "3"})) == (409, "too_many_roles")


class TestPermissionsOfARole:
    async def test_each_that_does_not_exist_is_pointed_at(self, world: World) -> None:
        tenant = await world.tenant()
        names = ["members:read", "members:fly", "nothing:*", "members:read:own", "members", "*"]
        answer = await tenant.owner.post("/roles", json={"name": "x", "permissions": names})
        assert refused(answer) == (422, "unknown_permission")
        assert [(one["pointer"], one["code"]) for one in answer.json()["errors"]] == [
            (f"/permissions/{position}", "unknown_permission") for position in (1, 2, 4, 5)
        ]

    async def test_repeated_ones_are_kept_once(self, world: World) -> None:
        role = await made(await world.tenant(), "x", "members:read", "members:read")
        assert role["permissions"] == ["members:read"]


class TestDeleting:
    async def test_a_role_that_somebody_holds_stays(self, world: World) -> None:
        tenant = await world.tenant()
        role = await made(tenant, "auditor", "members:read")
        path = f"/roles/{role['id']}"
        await given(tenant, Role.MEMBER, "auditor")
        assert refused(await tenant.owner.delete(path)) == (409, "role_in_use")
        await given(tenant, Role.MEMBER, "member")
        team = (await tenant.owner.post("/teams", json={"name": tenant.canary, "role": "auditor"})).json()
        assert refused(await tenant.owner.delete(path)) == (409, "role_in_use")
        await tenant.owner.patch(f"/teams/{team['id']}", json={"role": None})
        invitation = await tenant.owner.post("/invitations", json={"email": "d@invited.test", "role": "auditor"})
        assert refused(await tenant.owner.delete(path)) == (409, "role_in_use")
        await tenant.owner.delete(f"/invitations/{invitation.json()['id']}")
        assert (await tenant.owner.delete(path)).status_code == 204
        assert refused(await tenant.owner.get(path)) == (404, "role_not_found")

    async def test_a_role_is_never_given_and_deleted_at_once(self, world: World) -> None:
        tenant = await world.tenant()
        owner, member = acting_as(tenant, Role.OWNER), tenant.people[Role.MEMBER]
        for round_ in range(10):
            role = UUID((await made(tenant, f"r{round_}", "members:read"))["id"])
            outcomes = await asyncio.gather(
                call(owner, MemberService, "update", member, RoleChange(role=f"r{round_}")),
                call(owner, RoleService, "delete", role),
                return_exceptions=True,
            )
            errors = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
            assert len(errors) == 1, outcomes
            assert isinstance(errors[0], RoleInUse) or getattr(errors[0], "code", "") == "unknown_role"


class TestBuiltInRoles:
    async def test_they_are_listed_first_with_their_permissions(self, world: World) -> None:
        first, second = await world.two_tenants()
        await made(first, "auditor")
        items = (await first.owner.get("/roles")).json()["items"]
        assert [item["name"] for item in items] == ["manager", "member", "owner", "viewer", "auditor"]
        assert [item["is_builtin"] for item in items] == [True] * 4 + [False]
        assert "members:manage" in items[2]["permissions"]
        others = (await second.owner.get("/roles", params={"filter[is_builtin]": "true"})).json()["items"]
        assert others == items[:4]
        path = f"/roles/{items[2]['id']}"
        assert (await first.owner.get(path)).json() == items[2]

    async def test_they_cannot_be_changed(self, world: World) -> None:
        tenant = await world.tenant()
        for role in (await tenant.owner.get("/roles")).json()["items"]:
            path = f"/roles/{role['id']}"
            assert refused(await tenant.owner.patch(path, json={"permissions": []})) == (409, "role_is_builtin")
            assert refused(await tenant.owner.delete(path)) == (409, "role_is_builtin")


class TestVersions:
    async def test_a_change_to_what_has_changed_is_refused(self, world: World) -> None:
        tenant = await world.tenant()
        created = await tenant.owner.post("/roles", json={"name": "auditor"})
        path = created.headers["location"].removeprefix("/api/v1")
        old = {"If-Match": created.headers["etag"]}
        changed = await tenant.owner.patch(path, json={"description": tenant.canary}, headers=old)
        assert changed.status_code == 200
        assert changed.headers["etag"] != created.headers["etag"]
        stale = await tenant.owner.patch(path, json={"description": "x"}, headers=old)
        assert refused(stale) == (412, "stale_version")
        assert refused(await tenant.owner.delete(path, headers=old)) == (412, "stale_version")
        assert (await tenant.owner.delete(path, headers={"If-Match": changed.headers["etag"]})).status_code == 204


class TestOtherTenants:
    async def test_a_foreign_role_is_like_one_that_is_nowhere(self, world: World) -> None:
        first, second = await world.two_tenants()
        foreign = await made(second, "auditor", "members:read")
        for role_id in (foreign["id"], str(new_id())):
            for answer in (
                await first.owner.get(f"/roles/{role_id}"),
                await first.owner.patch(f"/roles/{role_id}", json={"name": "x"}),
                await first.owner.delete(f"/roles/{role_id}"),
            ):
                assert refused(answer) == (404, "role_not_found")
        assert (await second.owner.get(f"/roles/{foreign['id']}")).json() == foreign
        assert second.canary not in (await first.owner.get("/roles")).text


class TestLists:
    async def test_they_are_paged_by_cursor_without_gap_or_repetition(self, world: World) -> None:
        tenant = await world.tenant()
        for number in range(5):
            await made(tenant, f"role {number}")
        found, cursor = [], None
        while True:
            params = {"page_size": "2"} | ({"cursor": cursor} if cursor else {})
            page = (await tenant.owner.get("/roles", params=params)).json()
            found += [item["name"] for item in page["items"]]
            cursor = page["page"]["next_cursor"]
            if cursor is None:
                break
        assert found == ["manager", "member", "owner", "viewer", *(f"role {number}" for number in range(5))]

    async def test_permissions_are_told_to_every_member(self, world: World) -> None:
        tenant = await world.tenant()
        answer = await tenant.viewer.get("/permissions", params={"filter[resource]": "roles"})
        assert answer.json()["items"] == [
            {
                "id": f"roles:{verb}",
                "name": f"roles:{verb}",
                "description": description,
                "resource": "roles",
                "verb": verb,
                "roles": ["owner"],
            }
            for verb, description in (
                ("manage", "Create, change and delete roles."),
                ("read", "See the roles of the tenant."),
            )
        ]
        every = (await tenant.viewer.get("/permissions", params={"page_size": 200, "with_total": "true"})).json()
        assert every["page"]["total"] == len(world.assembly.gate.catalog.descriptions)


class TestTrail:
    async def test_every_change_leaves_a_line_with_before_and_after(self, world: World) -> None:
        tenant = await world.tenant()
        role = await made(tenant, "auditor", "members:read")
        await tenant.owner.patch(f"/roles/{role['id']}", json={"permissions": []})
        await tenant.owner.delete(f"/roles/{role['id']}")
        lines = await trail(world, tenant, UUID(role["id"]))
        assert [line["action"] for line in lines] == ["roles.created", "roles.updated", "roles.deleted"]
        assert '"members:read"' in lines[0]["after"]
        assert (lines[1]["before"], lines[1]["after"]) == ('{"permissions": ["members:read"]}', '{"permissions": []}')
