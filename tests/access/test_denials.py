"""The trail of denials over HTTP: every 403 of somebody known leaves one line, in the right trail and nowhere else."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from httpx2 import AsyncClient, Response
from tests.acceptance.scenery import Scenery, checksums, furnish
from tests.acceptance.surface import BODIES, Operation, operations_of
from tests.access.denied import Line, in_tenant, of_request, outside
from tests.conftest import suite_settings

from planner.app import application
from tenantry.app import assembled
from tenantry.database import DatabaseRole, DatabaseUrls, PlacementKind
from tenantry.kernel import new_id
from tenantry.tenancy import Role
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio

_GRANT = {"subject_type": "role", "subject_id": "viewer", "action": "projects:read"}
_BODIES: dict[str, Any] = {
    "api_keys_create": {"name": "key"},
    "grants_create": _GRANT | {"resource_type": "projects"},
    "projects_grants_create": _GRANT,
    "tasks_grants_create": _GRANT | {"action": "tasks:read"},
    "items_grants_create": _GRANT | {"action": "items:read"},
}
"""Bodies that the schema alone does not tell, where the surface does not know them either."""

_AT_LEAST = {Role.VIEWER: 55, Role.MEMBER: 40, Role.MANAGER: 35, Role.OWNER: 7}
"""How many refusals a walk over every route meets at least: with fewer, it would prove nothing."""


@pytest.fixture
async def admin(urls: DatabaseUrls, admin_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The superuser: sees the trails of all tenants, past row security."""
    name = urls.of(DatabaseRole.APP).partition("@/")[2].partition("?")[0]
    connection = await asyncpg.connect(admin_url.replace("@/postgres?", f"@/{name}?"))
    yield connection
    await connection.close()


async def a_project(tenant: TestTenant) -> UUID:
    answer = await tenant.owner.post("/projects", json={"name": tenant.canary})
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["id"])


async def test_a_refused_write_leaves_one_line_that_says_everything(world: World, admin: asyncpg.Connection) -> None:
    tenant, other = await world.two_tenants()
    project = await a_project(tenant)
    answer = await tenant.viewer.patch(f"/projects/{project}", json={"name": "taken"})
    assert answer.status_code == 403
    assert await in_tenant(admin, tenant) == [
        Line(
            tenant_id=tenant.id,
            actor_kind="user",
            actor_id=tenant.people[Role.VIEWER],
            resource_type="project",
            resource_id=project,
            request_id=answer.headers["x-request-id"],
            after={
                "permission": "projects:update",
                "code": "not_permitted",
                "method": "PATCH",
                "route": "projects_update",
                "count": 1,
            },
        )
    ]
    assert await in_tenant(admin, other) == []
    assert (await tenant.owner.get(f"/projects/{project}")).json()["name"] == tenant.canary


class _Ids(dict[str, UUID]):
    """Ids of things that are there, and of nothing for whatever else a path names."""

    def __missing__(self, name: str) -> UUID:
        return new_id()


async def _call(operation: Operation, scenery: Scenery, client: AsyncClient) -> Response:
    ids = _Ids(scenery.ids | scenery.deleted if operation.path.endswith("/restore") else scenery.ids)
    known = operation.id not in _BODIES or operation.id in BODIES
    return await operation.send(client, ids, mark=scenery.canary, body=None if known else _BODIES[operation.id])


@pytest.mark.parametrize("role", list(Role))
async def test_every_route_that_refuses_a_role_leaves_exactly_one_line(
    world: World, admin: asyncpg.Connection, role: Role
) -> None:
    tenant, other = await world.two_tenants()
    scenery, refused = await furnish(tenant), set()
    theirs = await checksums(admin, other.id)
    for operation in operations_of(world.app):
        if not operation.is_of_tenant and "/platform/" not in operation.path:
            continue
        await world.assembly.access.denials.close()  # every call begins a window of its own
        answer = await _call(operation, scenery, tenant.as_(role))
        if answer.status_code == 403:
            refused.add(operation.id)
            [(plane, action, line)] = await of_request(admin, answer.headers["x-request-id"])
            assert (action, line.count, line.code) == ("access.denied", 1, answer.json()["code"]), operation.id
            assert line.after["route"] == operation.id
            assert line.actor_id == tenant.people[role]
            assert (plane, line.tenant_id) == (("tenant", tenant.id) if operation.is_of_tenant else ("control", None))
        elif operation.writes and answer.is_success:  # what was done may be in the way of what comes
            tenant = await world.tenant()
            scenery = await furnish(tenant)
    assert len(refused) >= _AT_LEAST[role]
    assert await checksums(admin, other.id) == theirs


async def test_refused_writes_leave_nothing_else(world: World, admin: asyncpg.Connection) -> None:
    tenant = await world.tenant()
    scenery, writes = await furnish(tenant), 0
    before = await checksums(admin, tenant.id)
    for operation in operations_of(world.app):
        if operation.writes and operation.is_of_tenant:
            answer = await _call(operation, scenery, tenant.viewer)
            # What lies under something deleted cannot be restored by anybody: not there.
            assert answer.status_code == 403 or operation.path.endswith("/restore"), operation.id
            writes += answer.status_code == 403
    after = await checksums(admin, tenant.id)
    assert writes > 40
    assert {name for name in after if after[name] != before[name]} == {"pool.audit_entries"}


class TestWithoutATenant:
    async def test_a_stranger_leaves_nothing_in_the_tenant_that_they_named(
        self, world: World, admin: asyncpg.Connection
    ) -> None:
        tenant, victim = await world.two_tenants()
        person = await world.person(f"stranger {new_id()}")
        token = {"Authorization": f"Bearer {await world.token(person)}"}
        project = await a_project(victim)
        before = await checksums(admin, victim.id)
        for named in ({"X-Tenant-Id": str(victim.id)}, {"X-Tenant-Slug": victim.slug}, {"X-Tenant-Id": str(new_id())}):
            await world.assembly.access.denials.close()
            answer = await world.client(token | named).patch(f"/projects/{project}", json={"name": tenant.canary})
            assert (answer.status_code, answer.json()["code"]) == (403, "not_a_member")
        lines = await outside(admin, person)
        assert [(line.code, line.count, line.after["route"]) for line in lines] == [
            ("not_a_member", 1, "projects_update")
        ] * 3
        assert await checksums(admin, victim.id) == before
        assert str(person) not in (await victim.owner.get("/activity?page_size=100")).text

    async def test_the_line_names_no_tenant(self, world: World, admin: asyncpg.Connection) -> None:
        tenant, victim = await world.two_tenants()
        person = await world.person(f"stranger {new_id()}")
        headers = {"Authorization": f"Bearer {await world.token(person)}", "X-Tenant-Slug": victim.slug}
        assert (await world.client(headers).get("/projects")).status_code == 403
        [line] = await outside(admin, person)
        assert victim.slug not in repr(line)
        assert str(victim.id) not in repr(line)
        assert str(person) not in (await tenant.owner.get("/activity?page_size=100")).text

    async def test_a_platform_route_refuses_into_the_platforms_trail(
        self, world: World, admin: asyncpg.Connection
    ) -> None:
        tenant, person = await world.tenant(), await world.person(f"no admin {new_id()}")
        client = world.client({"Authorization": f"Bearer {await world.token(person)}"})
        answer = await client.post(f"/platform/tenants/{tenant.id}/suspend")
        assert answer.status_code == 403
        [line] = await outside(admin, person)
        assert (line.code, line.resource_type, line.resource_id) == ("not_platform_admin", "tenant", tenant.id)
        assert line.request_id == answer.headers["x-request-id"]
        assert await in_tenant(admin, tenant) == []

    async def test_a_suspended_tenant_is_a_refusal(self, world: World, admin: asyncpg.Connection) -> None:
        tenant = await world.tenant(side=f"suspended {new_id()}")
        await admin.execute("UPDATE control.tenants SET status = 'suspended' WHERE id = $1", tenant.id)
        assert (await tenant.member.get("/projects")).json()["code"] == "tenant_suspended"
        [line] = await outside(admin, tenant.people[Role.MEMBER])
        assert line.code == "tenant_suspended"

    async def test_switching_to_a_foreign_tenant_is_a_refusal(self, world: World, admin: asyncpg.Connection) -> None:
        victim, person = await world.tenant(), await world.person(f"switcher {new_id()}")
        client = world.client({"Authorization": f"Bearer {await world.token(person)}"})
        answer = await client.post("/auth/switch-tenant", json={"tenant_id": str(victim.id)})
        assert answer.status_code == 403
        [line] = await outside(admin, person)
        assert (line.code, line.after["route"]) == ("not_a_member", "auth_switch_tenant")


class TestKeys:
    async def test_a_key_is_named_as_who_was_refused(self, world: World, admin: asyncpg.Connection) -> None:
        tenant, other = await world.two_tenants()
        body = {"name": tenant.canary, "permissions": ["projects:read"]}
        key = (await tenant.owner.post("/api-keys", json=body)).json()
        inside = world.client({"X-API-Key": key["secret"]})
        assert (await inside.post("/projects", json={"name": tenant.canary})).status_code == 403
        [line] = await in_tenant(admin, tenant)
        assert (line.actor_kind, line.actor_id) == ("api_key", UUID(key["id"]))
        assert line.after["permission"] == "projects:create"
        beyond = world.client({"X-API-Key": key["secret"], "X-Tenant-Id": str(other.id)})
        assert (await beyond.get("/projects")).status_code == 403
        [line] = await outside(admin, UUID(key["id"]))
        assert (line.actor_kind, line.code) == ("api_key", "not_a_member")
        assert await in_tenant(admin, other) == []


async def test_what_is_no_refusal_leaves_no_line(world: World, admin: asyncpg.Connection) -> None:
    tenant = await world.tenant()
    calls = [
        (world.client(), "GET", "/projects", None, 401),
        (tenant.viewer, "GET", f"/projects/{new_id()}", None, 404),
        (tenant.viewer, "DELETE", f"/projects/{new_id()}", None, 404),
        (tenant.owner, "POST", "/projects", {}, 422),
        (tenant.owner, "GET", "/projects?page_size=x", None, 400),
        (tenant.owner, "GET", "/projects", None, 200),
        (tenant.owner, "GET", "/nothing", None, 404),
        (tenant.owner, "GET", f"/members/{new_id()}", None, 404),
    ]
    for client, method, path, body, status in calls:
        answer = await client.request(method, path, json=body)
        assert answer.status_code == status, answer.text
        assert await of_request(admin, answer.headers["x-request-id"]) == []


class TestRepetitions:
    async def test_fifty_at_once_are_one_line_and_then_one_with_their_number(
        self, world: World, admin: asyncpg.Connection
    ) -> None:
        tenant = await world.tenant()
        client = tenant.member
        answers = await asyncio.gather(*(client.get("/members") for _ in range(50)))
        assert {answer.status_code for answer in answers} == {403}
        assert [line.count for line in await in_tenant(admin, tenant)] == [1]
        await world.assembly.access.denials.close()
        assert [line.count for line in await in_tenant(admin, tenant)] == [1, 49]

    async def test_only_the_same_actor_action_and_type_is_a_repetition(
        self, world: World, admin: asyncpg.Connection
    ) -> None:
        tenant = await world.tenant()
        item = (await tenant.owner.post("/items", json={"name": tenant.canary, "price_cents": 1})).json()["id"]
        for client in (tenant.viewer, tenant.member):
            for _ in range(2):
                await client.delete(f"/items/{item}")
                await client.patch(f"/items/{item}", json={"name": "x"})
        lines = [(line.actor_id, line.after["permission"], line.count) for line in await in_tenant(admin, tenant)]
        assert lines == [
            (tenant.people[role], permission, 1)
            for role in (Role.VIEWER, Role.MEMBER)
            for permission in ("items:delete", "items:update")
        ]

    async def test_the_same_person_in_another_tenant_is_no_repetition(
        self, world: World, admin: asyncpg.Connection
    ) -> None:
        first, second = await world.tenant(), await world.tenant()
        for tenant in (first, second):
            assert (await tenant.viewer.get("/members")).status_code == 403
            assert [line.count for line in await in_tenant(admin, tenant)] == [1]


class TestActivity:
    async def test_shows_denials_to_whoever_may_read_it(self, world: World) -> None:
        tenant, other = await world.two_tenants()
        project = await a_project(tenant)
        assert (await tenant.viewer.delete(f"/projects/{project}")).status_code == 403
        for client in (tenant.manager, tenant.owner):
            [line] = (await client.get("/activity?filter[action]=access.denied")).json()["items"]
            assert (line["resource_type"], line["resource_id"]) == ("project", str(project))
            assert line["actor_id"] == str(tenant.people[Role.VIEWER])
            assert line["after"]["permission"] == "projects:delete"
        assert (await tenant.viewer.get("/activity")).status_code == 403
        assert (await other.owner.get("/activity?filter[action]=access.denied")).json()["items"] == []

    async def test_of_a_tenant_with_a_schema_of_its_own_they_lie_there(
        self, world: World, admin: asyncpg.Connection
    ) -> None:
        tenant = await world.tenant(placement=PlacementKind.SCHEMA)
        assert (await tenant.viewer.post("/projects", json={"name": "x"})).status_code == 403
        [line] = await in_tenant(admin, tenant, schema=f"t_{tenant.id.hex}")
        assert line.code == "not_permitted"
        assert await in_tenant(admin, tenant) == []


class TestTheAnswer:
    async def test_stays_403_while_no_line_can_be_written(self, urls: DatabaseUrls, admin: asyncpg.Connection) -> None:
        settings = suite_settings()
        narrow = settings.database.model_copy(update={"pool_size": 1, "pool_wait": 0.1})
        async with assembled(application, settings.model_copy(update={"database": narrow}), urls) as assembly:
            tenant = await World(assembly).tenant(side=f"narrow {uuid.uuid4()}")
            assert (await tenant.owner.get("/projects")).status_code == 200
            held = await assembly.runtime.database.app.acquire()
            answer = await tenant.viewer.get("/members")
            assembly.runtime.database.app.release(held)
            assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")
            assert b"tenantry_denials_unwritten_total 1.0" in assembly.runtime.metrics.render()
            assert await in_tenant(admin, tenant) == []
        # It was counted among the repetitions, and written when the application was taken down.
        assert [line.count for line in await in_tenant(admin, tenant)] == [1]
