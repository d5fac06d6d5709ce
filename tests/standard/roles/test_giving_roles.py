"""Nobody gives, makes or changes a role that holds more than they do."""

from __future__ import annotations

from typing import Any

import pytest
from httpx2 import AsyncClient
from tests.standard.roles.own_roles import STAFF, acting_as, given, key_of, made, refused, role_of

from tenantry.access.errors import BeyondOwnPermissions
from tenantry.resources import Rendered
from tenantry.standard.members import MemberService, RoleChange
from tenantry.standard.roles import RoleCreate, RoleService
from tenantry.tenancy import Role, RoleAboveOwn
from tenantry.testing import TestTenant, World, call

pytestmark = pytest.mark.anyio


class TestEscalation:
    """What somebody with every permission to manage, but not to everything else, may not turn into more."""

    async def staff(self, tenant: TestTenant, **values: Any) -> tuple[AsyncClient, dict[str, Any]]:
        role = await made(tenant, "staff", *STAFF, **values)
        return await given(tenant, Role.MANAGER, "staff"), role

    async def test_nobody_gives_a_role_that_holds_more(self, world: World) -> None:
        tenant = await world.tenant()
        staff, _ = await self.staff(tenant, counts_as="owner")
        own, victim = tenant.people[Role.MANAGER], tenant.people[Role.MEMBER]
        for answer in (
            await staff.patch(f"/members/{own}", json={"role": "owner"}),
            await staff.patch(f"/members/{victim}", json={"role": "owner"}),
            await staff.post("/members", json={"email": "x@invited.test", "role": "manager"}),
            await staff.post("/invitations", json={"email": "x@invited.test", "role": "owner"}),
            await staff.post("/teams", json={"name": tenant.canary, "role": "owner"}),
        ):
            assert refused(answer) == (403, "role_above_own")
        assert await role_of(tenant, Role.MANAGER) == "staff"
        assert await role_of(tenant, Role.MEMBER) == "member"

    async def test_nobody_gives_a_role_that_counts_as_more(self, world: World) -> None:
        tenant = await world.tenant()
        staff, _ = await self.staff(tenant)
        await made(tenant, "figurehead", counts_as="owner")
        answer = await staff.patch(f"/members/{tenant.people[Role.MANAGER]}", json={"role": "figurehead"})
        assert refused(answer) == (403, "role_above_own")
        made_up = await staff.post("/roles", json={"name": "my-figurehead", "counts_as": "owner"})
        assert refused(made_up) == (403, "beyond_own_permissions")

    async def test_the_owner_is_neither_demoted_nor_removed(self, world: World) -> None:
        tenant = await world.tenant()
        await tenant.owner.patch(f"/members/{tenant.people[Role.VIEWER]}", json={"role": "owner"})
        staff, _ = await self.staff(tenant)
        path = f"/members/{tenant.people[Role.OWNER]}"
        assert refused(await staff.patch(path, json={"role": "viewer"})) == (403, "role_above_own")
        assert refused(await staff.delete(path)) == (403, "role_above_own")
        assert await role_of(tenant, Role.OWNER) == "owner"

    async def test_nobody_makes_a_role_stronger_than_themselves(self, world: World) -> None:
        tenant = await world.tenant()
        staff, role = await self.staff(tenant)
        before = (await tenant.owner.get("/roles")).json()
        for permissions in (["projects:delete"], ["members:*", "projects:*"], [*STAFF, "tenant:update"]):
            for answer in (
                await staff.post("/roles", json={"name": "mine", "permissions": permissions}),
                await staff.patch(f"/roles/{role['id']}", json={"permissions": permissions}),
            ):
                assert refused(answer) == (403, "beyond_own_permissions")
        for counts_as in ("manager", "owner"):
            answer = await staff.patch(f"/roles/{role['id']}", json={"counts_as": counts_as})
            assert refused(answer) == (403, "beyond_own_permissions")
        assert (await tenant.owner.get("/roles")).json() == before

    async def test_nobody_changes_a_role_that_is_stronger_than_themselves(self, world: World) -> None:
        tenant = await world.tenant()
        staff, _ = await self.staff(tenant)
        strong = await made(tenant, "strong", "projects:delete")
        for answer in (
            await staff.patch(f"/roles/{strong['id']}", json={"permissions": []}),
            await staff.delete(f"/roles/{strong['id']}"),
        ):
            assert refused(answer) == (403, "beyond_own_permissions")

    async def test_what_one_holds_one_may_pass_on(self, world: World) -> None:
        tenant = await world.tenant()
        staff, _ = await self.staff(tenant)
        answer = await staff.post("/roles", json={"name": "clerk", "permissions": ["members:read", "teams:read:own"]})
        assert answer.status_code == 201, answer.text
        path = f"/members/{tenant.people[Role.MANAGER]}"
        assert (await staff.patch(path, json={"role": "clerk"})).status_code == 200
        assert (await staff.get("/roles")).status_code == 403

    async def test_a_key_of_a_service_account_gives_no_more_than_its_role_and_scope(self, world: World) -> None:
        tenant = await world.tenant()
        await made(tenant, "staff", *STAFF)
        account = await tenant.owner.post("/service-accounts", json={"name": tenant.canary, "role": "staff"})
        unscoped = await key_of(tenant, account.json()["id"])
        assert (await unscoped.post("/roles", json={"name": "a", "permissions": ["teams:read"]})).status_code == 201
        beyond = await unscoped.post("/roles", json={"name": "b", "permissions": ["projects:read"]})
        assert refused(beyond) == (403, "beyond_own_permissions")
        scoped = await key_of(tenant, account.json()["id"], permissions=["roles:manage", "members:manage"])
        assert (await scoped.post("/roles", json={"name": "c", "permissions": ["roles:manage"]})).status_code == 201
        beyond = await scoped.post("/roles", json={"name": "d", "permissions": ["teams:read"]})
        assert refused(beyond) == (403, "beyond_own_permissions")
        viewer = await scoped.patch(f"/members/{tenant.people[Role.VIEWER]}", json={"role": "c"})
        assert refused(viewer) == (403, "role_above_own")

    async def test_a_key_gives_no_more_than_its_scope(self, world: World) -> None:
        tenant = await world.tenant()
        scoped = acting_as(tenant, Role.OWNER, ceiling=frozenset({"members:manage", "roles:manage"}))
        with pytest.raises(BeyondOwnPermissions):
            await call(scoped, RoleService, "create", RoleCreate(name="made", permissions=["projects:read"]))
        with pytest.raises(RoleAboveOwn):
            await call(scoped, MemberService, "update", tenant.people[Role.VIEWER], RoleChange(role="member"))
        within = RoleCreate(name="made", permissions=["members:manage"])
        assert isinstance(await call(scoped, RoleService, "create", within), Rendered)

    async def test_a_role_that_was_lost_since_the_request_was_admitted_makes_nothing(self, world: World) -> None:
        tenant = await world.tenant()
        admitted = tenant.context(Role.OWNER, user_id=tenant.people[Role.VIEWER])
        with pytest.raises(BeyondOwnPermissions):
            await call(admitted, RoleService, "create", RoleCreate(name="made", permissions=["members:manage"]))
