"""What roles get from the engine: repeated requests, copies, events, the order of refusals, and no way round a hook."""

from __future__ import annotations

from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import select
from tests.standard.roles.own_roles import given, made, refused

from tenantry.access import BUILT_IN_IDS, NotPermitted
from tenantry.database import DatabaseRole, DatabaseUrls
from tenantry.kernel import ConfigurationError, new_id
from tenantry.resources import Operation, ResourceDefinition, ResourceRouter, ResourceService, statements
from tenantry.standard.roles import RoleCreate, RoleService, RoleUpdate
from tenantry.standard.teams import TeamService
from tenantry.tenancy import Role
from tenantry.testing import World, call

pytestmark = pytest.mark.anyio

BUILT_IN = BUILT_IN_IDS[Role.MEMBER]


class UncheckedRoles(RoleService):
    """Roles whose changes nobody checks."""

    check_update = ResourceService.check_update


class TestRepeatedRequests:
    async def test_they_make_one_role(self, world: World) -> None:
        tenant = await world.tenant()
        body, key = {"name": "auditor", "permissions": ["members:read"]}, {"Idempotency-Key": new_id().hex}
        first, again = [await tenant.owner.post("/roles", json=body, headers=key) for _ in range(2)]
        assert (first.status_code, again.status_code) == (201, 201)
        assert (first.content, first.headers["location"]) == (again.content, again.headers["location"])
        reused = await tenant.owner.post("/roles", json={"name": "x"}, headers=key)
        assert refused(reused) == (422, "idempotency_key_reused")

    async def test_whoever_could_not_make_it_any_more_gets_no_answer_again(self, world: World) -> None:
        tenant = await world.tenant()
        await made(tenant, "strong", "roles:manage", "members:read")
        await made(tenant, "weak", "roles:manage")
        client, key = await given(tenant, Role.MEMBER, "strong"), {"Idempotency-Key": new_id().hex}
        body = {"name": "mine", "permissions": ["members:read"]}
        assert (await client.post("/roles", json=body, headers=key)).status_code == 201
        await given(tenant, Role.MEMBER, "weak")
        assert refused(await client.post("/roles", json=body, headers=key)) == (403, "beyond_own_permissions")


class TestCopies:
    async def test_one_that_is_still_good_is_not_sent_again(self, world: World) -> None:
        tenant = await world.tenant()
        path, known = f"/roles/{(await made(tenant, 'auditor'))['id']}", {"If-None-Match": '"1"'}
        assert (await tenant.owner.get(path)).headers["etag"] == '"1"'
        assert (await tenant.owner.get(path, headers=known)).status_code == 304
        await tenant.owner.patch(path, json={"description": "other"})
        assert (await tenant.owner.get(path, headers=known)).status_code == 200

    async def test_one_of_a_built_in_role_is_sent_again_because_the_application_may_have_changed(
        self, world: World
    ) -> None:
        tenant = await world.tenant()
        answer = await tenant.owner.get(f"/roles/{BUILT_IN}", headers={"If-None-Match": '"1"'})
        assert (answer.status_code, answer.json()["version"], "etag" in answer.headers) == (200, 1, False)


class TestBuiltInRolesBesideThoseOfATenant:
    async def test_every_tenant_has_them_once_and_its_own_alone(self, world: World) -> None:
        first, second = await world.two_tenants()
        for name in ("auditor", "clerk"):
            await made(first, name)
        for tenant, count in ((first, 6), (second, 4)):
            page = (await tenant.owner.get("/roles", params={"with_total": "true", "page_size": "2"})).json()["page"]
            assert page["total"] == count

    async def test_lists_start_from_either_end_and_name_fields(self, world: World) -> None:
        tenant = await world.tenant()
        await made(tenant, "auditor")
        found, cursor = [], None
        while True:
            params = {"page_size": "1", "sort": "is_builtin,-name", "fields": "id"}
            page = (await tenant.owner.get("/roles", params=params | ({"cursor": cursor} if cursor else {}))).json()
            found += [item["id"] for item in page["items"]]
            cursor = page["page"]["next_cursor"]
            if cursor is None:
                break
        assert found[1:] == [str(BUILT_IN_IDS[name]) for name in ("viewer", "owner", "member", "manager")]

    async def test_a_search_finds_both(self, world: World) -> None:
        tenant = await world.tenant()
        await made(tenant, "Members only", description=None)
        items = (await tenant.owner.get("/roles", params={"search": "member"})).json()["items"]
        assert [item["name"] for item in items] == ["member", "Members only"]

    async def test_to_change_one_is_refused_after_permission_and_input_and_before_the_version(
        self, world: World
    ) -> None:
        tenant = await world.tenant()
        path, stale = f"/roles/{BUILT_IN}", {"If-Match": '"7"'}
        unknown = {"permissions": ["nothing:*"]}
        assert refused(await tenant.viewer.patch(path, json=unknown)) == (403, "not_permitted")
        assert refused(await tenant.owner.patch(path, json=unknown)) == (422, "unknown_permission")
        assert refused(await tenant.owner.patch(path, json={"name": "x"}, headers=stale)) == (409, "role_is_builtin")
        assert refused(await tenant.owner.delete(path, headers=stale)) == (409, "role_is_builtin")

    async def test_they_are_read_by_a_statement_that_names_the_tenant_itself(self, world: World) -> None:
        tenant = await world.tenant()
        resource, owner = RoleService.resource, tenant.context(Role.OWNER).principal
        statement = statements.reading(resource, resource.access.read_permits(owner))
        assert "every_role.tenant_id = " in statement.sql
        assert "UNION ALL" in statement.sql

    async def test_other_resources_are_read_from_their_table(self) -> None:
        assert TeamService.resource.source is TeamService.resource.table

    async def test_rows_without_a_column_of_the_table_are_refused(self) -> None:
        access, read = RoleService.resource.access, RoleService.resource.read
        with pytest.raises(ConfigurationError, match=r"rows of roles: .*version of roles is missing"):
            ResourceDefinition(access, read=read, rows=lambda table: select(table.c.id).subquery("some"))


async def test_a_role_that_manages_but_does_not_read_roles_may_still_write(world: World) -> None:
    tenant = await world.tenant()
    await made(tenant, "maker", "roles:manage")
    maker = await given(tenant, Role.MEMBER, "maker")
    created = await maker.post("/roles", json={"name": "made", "permissions": ["roles:manage"]})
    path = created.headers["location"].removeprefix("/api/v1")
    assert refused(await maker.get(path)) == (403, "not_permitted")
    assert (await maker.patch(path, json={"name": "renamed"})).status_code == 200
    assert (await maker.delete(path)).status_code == 204


async def test_a_change_of_nothing_changes_nothing(world: World) -> None:
    tenant = await world.tenant()
    role = await made(tenant, "auditor", "members:read")
    again = await tenant.owner.patch(f"/roles/{role['id']}", json={"name": "auditor", "permissions": ["members:read"]})
    assert (again.status_code, again.json()) == (200, role)


async def test_events_are_written_in_the_control_plane(world: World, urls: DatabaseUrls) -> None:
    tenant = await world.tenant()
    role = await made(tenant, "auditor")
    await tenant.owner.patch(f"/roles/{role['id']}", json={"name": "inspector"})
    await tenant.owner.delete(f"/roles/{role['id']}")
    connection = await asyncpg.connect(urls.of(DatabaseRole.WORKER))
    try:
        rows = await connection.fetch(
            "SELECT name FROM control.outbox WHERE aggregate_id = $1 ORDER BY id", UUID(role["id"])
        )
    finally:
        await connection.close()
    assert [row["name"] for row in rows] == ["roles.created", "roles.updated", "roles.deleted"]


class TestAForgottenHook:
    async def test_stops_the_application_at_start(self) -> None:
        with pytest.raises(ConfigurationError, match="UncheckedRoles has no check_update"):
            ResourceRouter(
                UncheckedRoles, "/roles", update=RoleUpdate, operations={Operation.UPDATE}, sort=(), default_sort="id"
            )

    async def test_refuses_whoever_calls_the_service(self, world: World) -> None:
        tenant = await world.tenant()
        role = await made(tenant, "auditor")
        changed = RoleUpdate.model_validate({"permissions": ["members:read"]})
        with pytest.raises(NotPermitted):
            await call(tenant.context(Role.OWNER), UncheckedRoles, "update", UUID(role["id"]), changed)
        assert (await tenant.owner.get(f"/roles/{role['id']}")).json() == role

    async def test_leaves_the_other_verbs_as_they_are(self, world: World) -> None:
        tenant = await world.tenant()
        added = await call(tenant.context(Role.OWNER), UncheckedRoles, "create", RoleCreate(name="x", permissions=[]))
        assert (await tenant.owner.get(f"/roles/{added.id}")).json()["name"] == "x"
