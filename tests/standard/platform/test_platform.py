"""Platform administration: all tenants for one role, with a reason for every call, and suspension at once."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from httpx2 import AsyncClient
from tests.acceptance.surface import Operation, operations_of
from tests.people import Someone, a_slug, connected, someone

from tenantry.database import DatabaseRole
from tenantry.kernel import SYSTEM, new_id
from tenantry.standard.platform import PlatformCall
from tenantry.tenancy import Role
from tenantry.testing import World

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def admin(world: World) -> Someone:
    return await someone(world, platform_role="superadmin")


async def lines_of(world: World, actor_id: UUID) -> list[tuple[str, UUID | None, str | None]]:
    """What the trail says about an actor's calls: action, tenant, reason."""
    async with connected(world, DatabaseRole.PLATFORM) as connection:
        rows = await connection.fetch(
            "SELECT action, tenant_id, after FROM control.audit_entries "
            "WHERE actor_id = $1 AND resource_type = 'tenant' ORDER BY id",
            actor_id,
        )
    return [(row["action"], row["tenant_id"], json.loads(row["after"] or "{}").get("reason")) for row in rows]


class TestWhoMay:
    async def test_an_owner_does_not_see_other_tenants(self, world: World) -> None:
        first, second = await world.two_tenants()
        paths = (
            "/platform/tenants",
            f"/platform/tenants/{second.id}",
            f"/platform/tenants/{first.id}",
            "/platform/stats",
        )
        for path in paths:
            assert (await first.owner.get(path)).status_code == 403
        refused = [
            await first.owner.post("/platform/tenants", json={"name": "x", "slug": a_slug()}),
            await first.owner.patch(f"/platform/tenants/{second.id}", json={"name": "x"}),
            await first.owner.post(f"/platform/tenants/{second.id}/suspend"),
            await first.owner.post(f"/platform/tenants/{first.id}/resume"),
        ]
        assert [answer.status_code for answer in refused] == [403] * 4
        assert (await second.owner.get("/tenant")).json()["status"] == "active"

    async def test_without_a_login_nothing_is_told(self, world: World) -> None:
        assert (await world.client().get("/platform/tenants")).status_code == 401

    async def test_the_platform_administrator_is_in_no_tenant(self, world: World, admin: Someone) -> None:
        tenant = await world.tenant()
        assert (await admin.client(tenant.id).get("/tenant")).json()["code"] == "not_a_member"


class TestCalls:
    async def test_every_call_is_in_the_trail_with_its_reason(self, world: World) -> None:
        admin, tenant = await someone(world, platform_role="superadmin"), await world.tenant()
        client, one = admin.client(), f"/platform/tenants/{tenant.id}"
        made = await client.post("/platform/tenants", json={"name": "New", "slug": a_slug()})
        made_id = UUID(made.json()["id"])
        for request in (
            client.get("/platform/tenants"),
            client.get(one, headers={"X-Reason": "ticket 17"}),
            client.patch(one, json={"name": "Renamed"}, headers={"X-Reason": "asked by phone"}),
            client.post(f"{one}/suspend", headers={"X-Reason": "unpaid"}),
            client.post(f"{one}/suspend", headers={"X-Reason": "still unpaid"}),
            client.post(f"{one}/resume"),
            client.get("/platform/stats"),
        ):
            assert (await request).status_code == 200
        missing = await client.get(f"/platform/tenants/{(nobody := new_id())}")
        assert (missing.status_code, missing.json()["code"]) == (404, "tenant_not_found")
        assert await lines_of(world, admin.id) == [
            ("tenants.created", made_id, "platform_tenants_create"),
            ("platform.tenants_listed", None, "platform_tenants_list"),
            ("platform.tenant_read", tenant.id, "ticket 17"),
            ("platform.tenant_updated", tenant.id, "asked by phone"),
            ("platform.tenant_suspended", tenant.id, "unpaid"),
            ("platform.tenant_suspended", tenant.id, "still unpaid"),
            ("platform.tenant_resumed", tenant.id, "platform_tenants_resume"),
            ("platform.stats_read", None, "platform_stats"),
            ("platform.tenant_read", nobody, "platform_tenants_read"),
        ]

    async def test_a_reason_is_bounded(self, admin: Someone) -> None:
        answer = await admin.client().get("/platform/tenants", headers={"X-Reason": "x" * 201})
        assert answer.status_code == 400

    async def test_all_tenants_are_listed_page_by_page(self, world: World, admin: Someone) -> None:
        slugs = {(await world.tenant()).slug for _ in range(3)}
        page = (await admin.client().get("/platform/tenants", params={"page_size": 2, "sort": "-created_at"})).json()
        assert page["page"]["has_more"]
        rest = await admin.client().get(
            "/platform/tenants", params={"page_size": 200, "sort": "-created_at", "cursor": page["page"]["next_cursor"]}
        )
        assert slugs <= {item["slug"] for item in page["items"] + rest.json()["items"]}
        assert "config" not in page["items"][0]

    async def test_a_tenant_is_made_for_somebody_else_and_with_a_schema_of_its_own(
        self, world: World, admin: Someone
    ) -> None:
        owner = await someone(world)
        body = {"name": "New", "slug": a_slug(), "owner_id": str(owner.id), "placement": "schema"}
        made = await admin.client().post("/platform/tenants", json=body)
        assert (made.status_code, made.json()["placement"]) == (201, "schema")
        assert (await owner.client(UUID(made.json()["id"])).get("/items")).status_code == 200
        unknown = await admin.client().post(
            "/platform/tenants", json=body | {"slug": a_slug(), "owner_id": str(new_id())}
        )
        assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown_user")

    async def test_a_tenant_of_the_application_itself_needs_an_owner(self, world: World) -> None:
        with pytest.raises(ValueError, match="name an owner"):
            await world.assembly.services.platform.create(PlatformCall(SYSTEM, "a test"), "New", a_slug())

    async def test_stats_count_tenants_and_people(self, world: World, admin: Someone) -> None:
        before = (await admin.client().get("/platform/stats")).json()
        await world.tenant()
        after = (await admin.client().get("/platform/stats")).json()
        assert after["tenants"]["active"] == before["tenants"]["active"] + 1
        assert after["memberships"] == before["memberships"] + 4

    async def test_a_tenant_cannot_be_deleted_yet(self, world: World, admin: Someone) -> None:
        tenant = await world.tenant()
        assert (await admin.client().delete(f"/platform/tenants/{tenant.id}")).status_code == 405
        assert (await tenant.owner.get("/tenant")).status_code == 200


class TestSuspension:
    async def test_holds_at_once_here_and_within_a_second_elsewhere(
        self, world: World, elsewhere: World, admin: Someone
    ) -> None:
        tenant = await world.tenant()
        token = {"Authorization": f"Bearer {tenant.tokens[Role.OWNER]}", "X-Tenant-Id": str(tenant.id)}
        here, there = world.client(token), elsewhere.client(token)
        for client in (here, there):
            assert (await client.get("/items")).status_code == 200
        await admin.client().post(f"/platform/tenants/{tenant.id}/suspend")
        for _cold_then_remembered in range(3):
            assert (await here.get("/items")).json()["code"] == "tenant_suspended"
            await asyncio.sleep(0.05)  # until our own announcement came back, which forgets once more
        await answers(there, 403)
        await admin.client().post(f"/platform/tenants/{tenant.id}/resume")
        assert (await here.get("/items")).status_code == 200
        await answers(there, 200)

    async def test_is_told_to_members_only(self, world: World, admin: Someone) -> None:
        tenant, stranger = await world.tenant(), await someone(world)
        await admin.client().post(f"/platform/tenants/{tenant.id}/suspend")
        for slug in (None, tenant.slug):
            named = stranger.client(None if slug else tenant.id, slug)
            assert (await named.get("/tenant")).json()["code"] == "not_a_member"
        assert (await tenant.viewer.get("/tenant")).json()["code"] == "tenant_suspended"

    async def test_ends_derived_mode_too(self, world: World, admin: Someone) -> None:
        tenant = await world.tenant()
        pair = await world.client({"Authorization": f"Bearer {tenant.tokens[Role.MEMBER]}"}).post(
            "/auth/switch-tenant", json={"tenant_id": str(tenant.id)}
        )
        derived = world.client({"Authorization": f"Bearer {pair.json()['access_token']}"})
        assert (await derived.get("/tenant")).status_code == 200
        await admin.client().post(f"/platform/tenants/{tenant.id}/suspend")
        assert (await derived.get("/tenant")).json()["code"] == "tenant_suspended"


async def answers(client: AsyncClient, status: int) -> None:
    for _ in range(100):
        if (await client.get("/items")).status_code == status:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"not {status} within a second")


class TestTheTrail:
    async def test_every_operation_leaves_a_line_with_its_reason_whether_it_succeeds_or_not(self, world: World) -> None:
        admin = await someone(world, platform_role="superadmin")
        tenant, nobody, seen = await world.tenant(), new_id(), 0
        bodies: dict[str, Any] = {
            "platform_tenants_create": {"name": "New", "slug": a_slug()},
            "platform_tenants_update": {"name": "Renamed"},
        }
        for operation in _platform_operations(world):
            for reason in ("ticket 17", None):
                for tenant_id in (tenant.id, nobody):
                    named = {"{tenant_id}": str(tenant_id), "{slug}": a_slug()}
                    address = operation.path.removeprefix("/api/v1")
                    for slot, value in named.items():
                        address = address.replace(slot, value)
                    headers = {"X-Reason": reason} if reason else {}
                    body = bodies.get(operation.id)
                    answer = await admin.client().request(operation.method, address, json=body, headers=headers)
                    # The second founding meets the slug of the first one; no tenant ever had the slug to release.
                    is_nowhere = "{slug}" in operation.path or (tenant_id == nobody and "{" in operation.path)
                    assert answer.status_code in ({404} if is_nowhere else {200, 201, 409}), answer.text
                    reasons = await _reasons_of(world, answer.headers["x-request-id"])
                    assert (reason or operation.id) in reasons, (operation.id, answer.status_code, reasons)
                    seen += 1
        assert seen >= 28

    async def test_a_call_that_fails_is_named_with_the_code_of_its_failure(self, world: World) -> None:
        admin, nobody = await someone(world, platform_role="superadmin"), new_id()
        answer = await admin.client().post(f"/platform/tenants/{nobody}/suspend", headers={"X-Reason": "unpaid"})
        assert answer.status_code == 404
        async with connected(world, DatabaseRole.PLATFORM) as connection:
            [row] = await connection.fetch(
                "SELECT action, tenant_id, after FROM control.audit_entries WHERE request_id = $1",
                answer.headers["x-request-id"],
            )
        assert (row["action"], row["tenant_id"]) == ("platform.call_failed", nobody)
        assert json.loads(row["after"]) == {
            "reason": "unpaid",
            "call": "platform.tenant_suspended",
            "code": "tenant_not_found",
        }

    @pytest.mark.parametrize(
        ("role", "table"),
        [
            (DatabaseRole.APP, "pool.audit_entries"),
            (DatabaseRole.CONTROL, "control.audit_entries"),
            (DatabaseRole.PLATFORM, "control.audit_entries"),
        ],
    )
    async def test_no_role_that_serves_can_change_or_remove_a_line(
        self, world: World, role: DatabaseRole, table: str
    ) -> None:
        tenant = await world.tenant()
        assert (await tenant.viewer.post("/projects", json={"name": "x"})).status_code == 403
        async with connected(world, role) as connection:
            await connection.execute(f"SET app.tenant_id = '{tenant.id}'")
            assert await connection.fetchval(f"SELECT count(*) FROM {table} WHERE tenant_id = $1", tenant.id) > 0
            for forbidden in (f"UPDATE {table} SET action = 'x'", f"DELETE FROM {table}", f"TRUNCATE {table}"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError) as refused:
                    await connection.execute(forbidden)
                assert refused.value.sqlstate == "42501"


def _platform_operations(world: World) -> list[Operation]:
    return [one for one in operations_of(world.app) if one.path.startswith("/api/v1/platform/")]


async def _reasons_of(world: World, request_id: str) -> list[str | None]:
    async with connected(world, DatabaseRole.PLATFORM) as connection:
        rows = await connection.fetch("SELECT after FROM control.audit_entries WHERE request_id = $1", request_id)
    return [json.loads(row["after"] or "{}").get("reason") for row in rows]
