"""Founding tenants and changing them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import asyncpg
import pytest
from tests.people import a_slug, connected, someone

from tenantry.database import DatabaseRole, Placement, PlacementKind
from tenantry.kernel import SYSTEM
from tenantry.standard.tenants.service import Founding, Tenants
from tenantry.tenancy import (
    PlacementFailed,
    Role,
    StoredPlacements,
    TenancySettings,
    TenantNotReady,
)
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio


async def trail(world: World, tenant_id: UUID) -> list[asyncpg.Record]:
    """The control plane's lines about one tenant, oldest first."""
    async with connected(world, DatabaseRole.PLATFORM) as connection:
        rows = await connection.fetch("SELECT * FROM control.audit_entries WHERE tenant_id = $1 ORDER BY id", tenant_id)
    return list(rows)


class TestFounding:
    async def test_whoever_founds_a_tenant_owns_it(self, world: World) -> None:
        founder = await someone(world)
        slug = a_slug()
        made = await founder.client().post("/tenants", json={"name": "Acme", "slug": slug})
        assert made.status_code == 201
        assert {
            "name": "Acme",
            "slug": slug,
            "status": "active",
            "config": {},
            "version": 1,
        }.items() <= made.json().items()
        client = founder.client(slug=slug)
        assert (await client.get("/tenant")).json() == made.json()
        members = (await client.get("/members")).json()["items"]
        assert [(member["user_id"], member["role"]) for member in members] == [(str(founder.id), "owner")]
        (line,) = await trail(world, UUID(made.json()["id"]))
        assert (line["action"], line["actor_id"]) == ("tenants.created", founder.id)

    async def test_without_a_verified_address_one_can_found_a_tenant(self, world: World) -> None:
        founder = await someone(world, is_verified=False)
        made = await founder.client().post("/tenants", json={"name": "Acme", "slug": a_slug()})
        assert made.status_code == 201

    async def test_founding_needs_a_login(self, world: World) -> None:
        assert (await world.client().post("/tenants", json={"name": "Acme", "slug": a_slug()})).status_code == 401

    async def test_of_twenty_foundings_with_one_slug_exactly_one_succeeds(self, world: World) -> None:
        founder = await someone(world)
        slug = a_slug()
        client = founder.client()
        answers = await asyncio.gather(
            *(client.post("/tenants", json={"name": "Acme", "slug": slug}) for _ in range(20))
        )
        assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19
        assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"slug_taken"}
        assert len((await client.get("/tenants")).json()["items"]) == 1

    @pytest.mark.parametrize(
        "slug",
        [
            "public",
            "pg_catalog",
            "default",
            "admin",
            "Acme",
            "a",
            "a" * 64,
            "-acme",
            "acme-",
            "ac me",
            'ac"me',
            "ac'me",
            "\u0430cme",  # the Cyrillic letter that looks like an a
            "ac\u200dme",
            "xn--acme",
            "ac.me",
            "",
        ],
    )
    async def test_odd_and_reserved_slugs_are_refused(self, world: World, slug: str) -> None:
        founder = await someone(world)
        answer = await founder.client().post("/tenants", json={"name": "Acme", "slug": slug})
        assert answer.status_code == 422
        assert (await founder.client().get("/tenants")).json()["items"] == []

    async def test_one_sees_the_own_tenants_with_the_role_in_each(self, world: World) -> None:
        two = await world.two_tenants()
        viewer = two[0].people[Role.VIEWER]
        client = world.client({"Authorization": f"Bearer {await world.token(viewer)}"})
        for path in ("/tenants", "/me/tenants"):
            own = {
                item["slug"]: item["role"]
                for item in (await client.get(path, params={"page_size": 200})).json()["items"]
            }
            assert own[two[0].slug] == "viewer"
            assert two[1].slug not in own

    async def test_a_list_is_paged_filtered_and_counted_like_every_other(self, world: World) -> None:
        founder = await someone(world)
        client = founder.client()
        slugs = sorted(a_slug() for _ in range(5))
        for slug in slugs:
            await client.post("/tenants", json={"name": "Acme", "slug": slug})
        seen: list[str] = []
        query = {"page_size": "2", "sort": "slug", "with_total": "true", "fields": "slug"}
        cursor: str | None = None
        while True:
            page = (await client.get("/tenants", params=query | ({"cursor": cursor} if cursor else {}))).json()
            seen += [item["slug"] for item in page["items"]]
            assert page["page"]["total"] == 5
            cursor = page["page"]["next_cursor"]
            if cursor is None:
                break
        assert seen == slugs
        assert (await client.get("/tenants", params={"sort": "config"})).status_code == 400
        assert (await client.get("/tenants", params={"filter[role]": "viewer"})).json()["items"] == []


class TestChanging:
    async def test_the_owner_changes_name_slug_and_config(self, world: World) -> None:
        tenant = await world.tenant()
        slug = a_slug()
        changes = {"name": "New", "slug": slug, "config": {"default_notification_channel": "email"}}
        answer = await tenant.owner.patch("/tenant", json=changes)
        assert answer.status_code == 200
        assert changes.items() <= answer.json().items()
        assert answer.headers["etag"] == '"2"'
        assert (await tenant.viewer.get("/tenant")).json() == answer.json()
        line = (await trail(world, tenant.id))[-1]
        assert line["action"] == "tenants.updated"
        assert '"config": "***"' in line["after"]

    @pytest.mark.parametrize("role", [Role.MANAGER, Role.MEMBER, Role.VIEWER])
    async def test_nobody_else_does(self, world: World, role: Role) -> None:
        tenant = await world.tenant()
        assert (await tenant.as_(role).patch("/tenant", json={"name": "New"})).status_code == 403
        assert (await tenant.owner.get("/tenant")).json()["name"] == tenant.canary

    async def test_what_is_absent_stays_and_null_is_refused(self, world: World) -> None:
        tenant = await world.tenant()
        await tenant.owner.patch("/tenant", json={"config": {"a": 1}})
        after = (await tenant.owner.patch("/tenant", json={"name": "New"})).json()
        assert (after["config"], after["slug"]) == ({"a": 1}, tenant.slug)
        assert (await tenant.owner.patch("/tenant", json={"name": None})).status_code == 422
        assert (await tenant.owner.patch("/tenant", json={"status": "suspended"})).status_code == 422

    async def test_what_is_so_already_changes_nothing(self, world: World) -> None:
        tenant = await world.tenant()
        before = (await tenant.owner.get("/tenant")).json()
        changed = await tenant.owner.patch("/tenant", json={"slug": tenant.slug, "name": tenant.canary})
        assert changed.json() == before
        assert [line["action"] for line in await trail(world, tenant.id) if line["resource_type"] == "tenant"] == [
            "tenants.created"
        ]

    async def test_a_stale_version_is_refused(self, world: World) -> None:
        tenant = await world.tenant()
        assert (await tenant.owner.patch("/tenant", json={"name": "A"}, headers={"If-Match": '"1"'})).status_code == 200
        stale = await tenant.owner.patch("/tenant", json={"name": "B"}, headers={"If-Match": '"1"'})
        assert stale.status_code == 412
        assert (await tenant.owner.get("/tenant")).json()["name"] == "A"

    async def test_a_slug_of_somebody_else_and_a_reserved_one_are_refused(self, world: World) -> None:
        two = await world.two_tenants()
        taken = await two[0].owner.patch("/tenant", json={"slug": two[1].slug})
        assert (taken.status_code, taken.json()["code"]) == (409, "slug_taken")
        assert (await two[0].owner.patch("/tenant", json={"slug": "default"})).json()["code"] == "slug_reserved"

    async def test_an_old_slug_leads_nowhere_in_any_process(self, world: World, elsewhere: World) -> None:
        tenant = await world.tenant()
        token = {"Authorization": f"Bearer {tenant.tokens[Role.VIEWER]}"}
        here, there = world.client(token), elsewhere.client(token)
        for client in (here, there):
            assert (await client.get("/tenant", headers={"X-Tenant-Slug": tenant.slug})).status_code == 200
        slug = a_slug()
        await tenant.owner.patch("/tenant", json={"slug": slug})
        assert (await here.get("/tenant", headers={"X-Tenant-Slug": tenant.slug})).status_code == 403
        await becomes(there.get, tenant.slug, 403)
        assert (await there.get("/tenant", headers={"X-Tenant-Slug": slug})).status_code == 200


async def becomes(get: Callable[..., Awaitable[object]], slug: str, status: int) -> None:
    for _ in range(100):
        answer = await get("/tenant", headers={"X-Tenant-Slug": slug})
        if answer.status_code == status:  # type: ignore[attr-defined]
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"not {status} within a second")


def founded_by(tenant: TestTenant, placement: PlacementKind) -> Founding:
    return Founding("Acme", a_slug(), tenant.people[Role.OWNER], SYSTEM, placement=placement)


class TestOwnSchema:
    async def test_a_tenant_with_a_schema_of_its_own_works_at_once(self, world: World) -> None:
        tenant = await world.tenant(placement=PlacementKind.SCHEMA)
        assert (await tenant.owner.get("/tenant")).json()["placement"] == "schema"
        assert (await tenant.owner.get("/items")).status_code == 200
        placements = await StoredPlacements(world.assembly.runtime.database.urls.of(DatabaseRole.OWNER)).placements()
        assert placements[0] == Placement.pool()
        assert Placement.of_schema(f"t_{tenant.id.hex}") in placements
        assert len(placements) == len(set(placements))

    async def test_before_the_first_migration_there_is_the_pool(self, admin_url: str) -> None:
        assert await StoredPlacements(admin_url).placements() == [Placement.pool()]

    async def test_when_the_schema_cannot_be_made_nothing_is_left(self, world: World) -> None:
        async def broken(_placement: Placement) -> None:
            raise OSError("disk full")

        tenant = await world.tenant()
        founding = founded_by(tenant, PlacementKind.SCHEMA)
        with pytest.raises(PlacementFailed):
            await service(world, broken).create(founding)
        assert await stored(world, founding.slug) is None
        assert (await world.assembly.services.tenants.create(founding)).status == "active"

    async def test_a_tenant_whose_founding_was_interrupted_is_closed_until_it_is_resumed(self, world: World) -> None:
        class Killed(BaseException):
            """The process ends here."""

        async def interrupted(_placement: Placement) -> None:
            raise Killed

        founding = founded_by(await world.tenant(), PlacementKind.SCHEMA)
        with pytest.raises(Killed):
            await service(world, interrupted).create(founding)
        left = await stored(world, founding.slug)
        assert left is not None
        assert left["status"] == "preparing"
        with pytest.raises(TenantNotReady):
            await world.assembly.resolver.resolve(founding.owner_id, None, None, founding.slug)
        admin = await someone(world, platform_role="superadmin")
        early = await admin.client().post(f"/platform/tenants/{left['id']}/suspend")
        assert (early.status_code, early.json()["code"]) == (503, "tenant_not_ready")
        placements = await StoredPlacements(world.assembly.runtime.database.urls.of(DatabaseRole.OWNER)).placements()
        assert Placement.of_schema(left["placement_schema"]) not in placements
        resumed = await admin.client().post(f"/platform/tenants/{left['id']}/resume")
        assert resumed.json()["status"] == "active"
        owner = world.client({"Authorization": f"Bearer {await world.token(founding.owner_id)}"})
        assert (await owner.get("/items", headers={"X-Tenant-Slug": founding.slug})).status_code == 200


def service(world: World, prepare: Callable[[Placement], Awaitable[None]]) -> Tenants:
    return Tenants(world.assembly.runtime, TenancySettings(), prepare)


async def stored(world: World, slug: str) -> asyncpg.Record | None:
    async with connected(world, DatabaseRole.CONTROL) as connection:
        return await connection.fetchrow("SELECT * FROM control.tenants WHERE slug = $1", slug)
