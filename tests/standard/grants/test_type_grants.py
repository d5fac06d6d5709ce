"""Grants on whole resources, on the engine: the mark comes first, an expired grant makes room, the trail says both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from httpx2 import AsyncClient, Response
from tests.acceptance.conftest import url_of_admin

from tenantry.access import ANY_TYPE, AccessContext, Effect, SubjectType
from tenantry.database import DatabaseUrls, Plane
from tenantry.kernel import new_id
from tenantry.standard.grants import service as grants
from tenantry.standard.grants.schemas import TypeGrantCreate
from tenantry.tenancy import Role
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio

LATER = "2099-01-01T00:00:00Z"


@pytest.fixture(scope="module")
async def admin(urls: DatabaseUrls, admin_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The superuser, for looking from outside."""
    connection = await asyncpg.connect(url_of_admin(urls, admin_url))
    try:
        yield connection
    finally:
        connection.terminate()


async def give(client: AsyncClient, *, key: str | None = None, **asked: Any) -> Response:
    body = {"resource_type": "project", "subject_type": "role", "subject_id": "viewer", "action": "projects:update"}
    headers = {} if key is None else {"Idempotency-Key": key}
    return await client.post("/grants", json=body | asked, headers=headers)


async def marks(admin: asyncpg.Connection, tenant: TestTenant) -> set[str]:
    return set(await admin.fetchval("SELECT granted FROM control.tenants WHERE id = $1", tenant.id))


async def expire(admin: asyncpg.Connection, tenant: TestTenant) -> None:
    for table in ("control.type_grants", "pool.grants"):
        await admin.execute(f"UPDATE {table} SET expires_at = now() - interval '1 s' WHERE tenant_id = $1", tenant.id)


class TestTheMark:
    async def test_it_is_committed_before_a_grant_exists(self, world: World, admin: asyncpg.Connection) -> None:
        tenant = await world.tenant()
        assert await marks(admin, tenant) == set()
        refused = await give(tenant.owner, subject_id="emperor")
        assert refused.status_code == 422, refused.text
        assert await marks(admin, tenant) == {ANY_TYPE}

    async def test_it_is_there_without_preparation_too(self, world: World, admin: asyncpg.Connection) -> None:
        tenant = await world.tenant()
        system = AccessContext.system(await world.assembly.resolver.named(tenant.id), world.assembly.runtime)
        asked = TypeGrantCreate(
            resource_type="project", subject_type=SubjectType.ROLE, subject_id="viewer", action="projects:read"
        )
        async with system.work(Plane.CONTROL) as uow:
            denied = asked.model_copy(update={"effect": Effect.DENY})
            await grants.TypeGrantService(uow, system.principal, system.runtime).create(denied)
        assert await marks(admin, tenant) == {ANY_TYPE}
        assert (await tenant.viewer.get("/projects")).status_code == 403

    async def test_who_may_give_nothing_marks_nothing(self, world: World, admin: asyncpg.Connection) -> None:
        tenant = await world.tenant()
        assert (await give(tenant.manager)).status_code == 403
        assert (await tenant.owner.post("/grants", json={})).status_code == 422
        assert await marks(admin, tenant) == set()


class TestExpiredGrants:
    async def test_one_makes_room_for_the_same_one(self, world: World, admin: asyncpg.Connection) -> None:
        tenant = await world.tenant()
        on_record = f"/projects/{(await tenant.owner.post('/projects', json={'name': 'x'})).json()['id']}/grants"
        body = {"subject_type": "role", "subject_id": "viewer", "action": "projects:update"}
        for path, asked in (("/grants", {"resource_type": "project", **body}), (on_record, body)):
            first = await tenant.owner.post(path, json=asked | {"expires_at": LATER})
            assert first.status_code == 201, first.text
            assert (await tenant.owner.post(path, json=asked)).json()["code"] == "grant_exists"
            await expire(admin, tenant)
            second = await tenant.owner.post(path, json=asked)
            assert second.status_code == 201, second.text
            listed = (await tenant.owner.get(path)).json()["items"]
            assert [(one["id"], one["expires_at"]) for one in listed] == [(second.json()["id"], None)]

    async def test_one_of_another_effect_stays(self, world: World, admin: asyncpg.Connection) -> None:
        tenant = await world.tenant()
        assert (await give(tenant.owner, effect="deny", expires_at=LATER)).status_code == 201
        await expire(admin, tenant)
        assert (await give(tenant.owner)).status_code == 201
        assert len((await tenant.owner.get("/grants")).json()["items"]) == 2

    async def test_one_makes_room_where_there_is_no_other(
        self, world: World, admin: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(grants, "MAX_TYPE_GRANTS", 1)
        tenant = await world.tenant()
        assert (await give(tenant.owner, expires_at=LATER)).status_code == 201
        await expire(admin, tenant)
        assert (await give(tenant.owner)).status_code == 201
        refused = await give(tenant.owner, action="projects:delete")
        assert (refused.status_code, refused.json()["code"]) == (409, "too_many_grants")


class TestOneGrant:
    async def test_it_is_read_where_its_address_says_and_taken_once(self, world: World) -> None:
        tenant, other = await world.two_tenants()
        made = await give(tenant.owner)
        path = made.headers["location"].removeprefix("/api/v1")
        assert (await tenant.owner.get(path)).json()["id"] == made.json()["id"]
        assert (await tenant.manager.get(path)).status_code == 403
        assert (await tenant.manager.delete(path)).status_code == 403
        for client, foreign in ((other.owner, path), (tenant.owner, f"/grants/{new_id()}")):
            assert (await client.get(foreign)).json()["code"] == "grant_not_found"
            assert (await client.delete(foreign)).json()["code"] == "grant_not_found"
        assert (await tenant.owner.delete(path)).status_code == 204
        assert (await tenant.owner.delete(path)).status_code == 404

    async def test_the_trail_says_what_was_given_and_taken(self, world: World) -> None:
        tenant = await world.tenant()
        made = (await give(tenant.owner, expires_at=LATER)).json()
        await tenant.owner.delete(f"/grants/{made['id']}")
        lines = (await tenant.owner.get("/activity?filter[resource_type]=grant")).json()["items"][::-1]
        assert [(one["action"], one["resource_id"]) for one in lines] == [
            ("grants.given", made["id"]),
            ("grants.taken", made["id"]),
        ]
        given, taken = lines[0]["after"], lines[1]["before"]
        assert given == taken
        assert {"resource_type": "project", "action": "projects:update", "effect": "allow"}.items() <= given.items()

    async def test_what_is_wrong_comes_before_what_is_not_held(self, world: World) -> None:
        tenant = await world.tenant()
        await clerk(tenant, "grants:manage")
        unknown = await give(tenant.member, subject_id="emperor")
        assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown_subject")
        refused = await give(tenant.member)
        assert (refused.status_code, refused.json()["code"]) == (403, "beyond_own_permissions")
        assert (await give(tenant.member, effect="deny")).status_code == 201


class TestRepeating:
    async def test_the_rank_is_asked_again(self, world: World) -> None:
        tenant = await world.tenant()
        role = await clerk(tenant, "grants:manage", "projects:update")
        first = await give(tenant.member, key="k")
        assert first.status_code == 201, first.text
        assert (await give(tenant.member, key="k")).content == first.content
        changed = await tenant.owner.patch(f"/roles/{role}", json={"permissions": ["grants:manage"]})
        assert changed.status_code == 200, changed.text
        again = await give(tenant.member, key="k")
        assert (again.status_code, again.json()["code"]) == (403, "beyond_own_permissions")


async def clerk(tenant: TestTenant, *permissions: str) -> str:
    """Give the member a role with these permissions alone; return the id of the role."""
    made = await tenant.owner.post("/roles", json={"name": "clerk", "permissions": permissions})
    await tenant.owner.patch(f"/members/{tenant.people[Role.MEMBER]}", json={"role": "clerk"})
    return str(made.json()["id"])
