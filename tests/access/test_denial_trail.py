"""The recorder of denials: what is written at once, what is counted, and what happens where nothing can be written."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from structlog.testing import capture_logs
from tests.access.denied import in_tenant

from tenantry.access import Denial, DenialTrail, denials
from tenantry.app import Assembly
from tenantry.database import DatabaseRole, DatabaseUrls, Placement
from tenantry.kernel import Actor, ActorKind, new_id
from tenantry.observability import Metrics
from tenantry.runtime import Runtime
from tenantry.tenancy import Role, TenantFacts
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio


@pytest.fixture
async def admin(urls: DatabaseUrls, admin_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The superuser: sees the trails of all tenants, past row security."""
    name = urls.of(DatabaseRole.APP).partition("@/")[2].partition("?")[0]
    connection = await asyncpg.connect(admin_url.replace("@/postgres?", f"@/{name}?"))
    yield connection
    await connection.close()


@pytest.fixture
def runtime(assembly: Assembly) -> Runtime:
    """The runtime with metrics of its own: a counter is registered once."""
    return replace(assembly.runtime, metrics=Metrics())


async def facts_of(assembly: Assembly, tenant: TestTenant) -> TenantFacts:
    membership = await assembly.gate.resolver.member(tenant.people[Role.OWNER], tenant.id)
    return membership.tenant


async def a_denial(assembly: Assembly, tenant: TestTenant, /, **changed: Any) -> Denial:
    denial = Denial(
        actor=Actor(ActorKind.USER, tenant.people[Role.VIEWER]),
        tenant=await facts_of(assembly, tenant),
        code="not_permitted",
        permission="projects:update",
        resource_type="project",
        resource_id=new_id(),
        method="PATCH",
        route="projects_update",
        request_id="the-first",
    )
    return replace(denial, **changed)


async def test_ten_thousand_in_a_minute_are_two_lines(
    assembly: Assembly, world: World, runtime: Runtime, admin: asyncpg.Connection
) -> None:
    tenant, other = await world.two_tenants()
    trail = DenialTrail(runtime)
    denial = await a_denial(assembly, tenant)
    began = time.perf_counter()
    for number in range(10_000):
        await trail.note(replace(denial, request_id=f"request-{number}", resource_id=new_id()))
    assert time.perf_counter() - began < 2
    await trail.close()
    first, further = await in_tenant(admin, tenant)
    assert (first.count, first.request_id) == (1, "request-0")
    assert (further.count, further.request_id, further.resource_id) == (9_999, "request-9999", None)
    assert await in_tenant(admin, other) == []


async def test_repetitions_about_one_record_name_it(
    assembly: Assembly, world: World, runtime: Runtime, admin: asyncpg.Connection
) -> None:
    tenant, trail = await world.tenant(), DenialTrail(runtime)
    denial = await a_denial(assembly, tenant)
    for _ in range(3):
        await trail.note(denial)
    await trail.close()
    assert [(line.count, line.resource_id) for line in await in_tenant(admin, tenant)] == [
        (1, denial.resource_id),
        (2, denial.resource_id),
    ]


async def test_a_window_ends_by_itself_and_the_next_refusal_is_written_at_once(
    assembly: Assembly, world: World, runtime: Runtime, admin: asyncpg.Connection
) -> None:
    tenant = await world.tenant()
    trail = DenialTrail(runtime, window=timedelta(seconds=0.2))
    denial = await a_denial(assembly, tenant)
    for _ in range(3):
        await trail.note(denial)
    assert [line.count for line in await in_tenant(admin, tenant)] == [1]
    await counts(admin, tenant, [1, 2])
    await trail.note(denial)
    assert [line.count for line in await in_tenant(admin, tenant)] == [1, 2, 1]
    await asyncio.sleep(0.3)  # nothing was repeated in the second window: it ends without a line
    await trail.close()
    assert [line.count for line in await in_tenant(admin, tenant)] == [1, 2, 1]


async def test_beyond_the_limit_of_windows_each_refusal_is_written(
    assembly: Assembly, world: World, runtime: Runtime, admin: asyncpg.Connection
) -> None:
    tenant, trail = await world.tenant(), DenialTrail(runtime, max_windows=1)
    counted = await a_denial(assembly, tenant)
    written = replace(counted, permission="projects:delete")
    for denial in (counted, written, written, counted, written):
        await trail.note(denial)
    lines = [(line.after["permission"], line.count) for line in await in_tenant(admin, tenant)]
    assert lines == [("projects:update", 1), *[("projects:delete", 1)] * 3]
    await trail.close()
    assert [line.count for line in await in_tenant(admin, tenant)] == [1, 1, 1, 1, 1]


async def test_a_refusal_that_was_cancelled_while_it_was_written_is_counted(
    assembly: Assembly, world: World, runtime: Runtime, admin: asyncpg.Connection
) -> None:
    tenant, trail = await world.tenant(), DenialTrail(runtime)
    denial = await a_denial(assembly, tenant)
    noting = asyncio.create_task(trail.note(denial))
    await asyncio.sleep(0)
    noting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await noting
    await trail.close()
    assert [line.count for line in await in_tenant(admin, tenant)] == [1]


async def test_what_cannot_be_written_is_logged_and_counted_and_raises_nothing(
    assembly: Assembly, world: World, runtime: Runtime
) -> None:
    tenant = await world.tenant()
    nowhere = replace(await facts_of(assembly, tenant), placement=Placement.of_schema(f"t_{UUID(int=1).hex}"))
    denial, trail = await a_denial(assembly, tenant, tenant=nowhere), DenialTrail(runtime)
    with capture_logs() as logs:
        for _ in range(5):
            await trail.note(denial)
        await trail.close()
    assert [(line["event"], line["count"]) for line in logs] == [("denial not written", 1), ("denial not written", 5)]
    assert logs[0]["tenant_id"] == str(tenant.id)
    assert b"tenantry_denials_unwritten_total 2.0" in runtime.metrics.render()


async def test_thousands_of_windows_that_end_together_leave_connections_for_requests(
    assembly: Assembly, world: World, runtime: Runtime, admin: asyncpg.Connection
) -> None:
    tenant, trail = await world.tenant(), DenialTrail(runtime)
    denial, pool = await a_denial(assembly, tenant), assembly.runtime.database.app
    for number in range(200):
        for _ in range(2):
            await trail.note(replace(denial, permission=f"projects:{number}"))
    ending = asyncio.create_task(trail.close())
    most = 0
    while not ending.done():
        await asyncio.sleep(0)
        most = max(most, pool.in_use)
    assert most == 1
    assert len(await in_tenant(admin, tenant)) == 400


class TestWhileTheTrailIsLocked:
    async def test_a_refusal_waits_no_longer_than_its_patience(
        self,
        assembly: Assembly,
        world: World,
        runtime: Runtime,
        admin: asyncpg.Connection,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(denials, "_PATIENCE", 0.1)
        tenant, trail = await world.tenant(), DenialTrail(runtime)
        denial = await a_denial(assembly, tenant)
        async with admin.transaction():
            await admin.execute("LOCK TABLE pool.audit_entries IN ACCESS EXCLUSIVE MODE")
            with capture_logs() as logs:
                await asyncio.wait_for(trail.note(denial), 1.5)
        assert [(line["event"], line["error"]) for line in logs] == [("denial not written", "TimeoutError")]
        await trail.close()
        assert [line.count for line in await in_tenant(admin, tenant)] == [1]

    async def test_leaving_takes_no_longer_than_its_patience_and_says_what_is_lost(
        self,
        assembly: Assembly,
        world: World,
        runtime: Runtime,
        admin: asyncpg.Connection,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(denials, "_LEAVING", 0.1)
        tenant, trail = await world.tenant(), DenialTrail(runtime)
        denial, pool = await a_denial(assembly, tenant), assembly.runtime.database.app
        for permission in ("projects:update", "projects:delete"):
            for _ in range(2):
                await trail.note(replace(denial, permission=permission))
        async with admin.transaction():
            await admin.execute("LOCK TABLE pool.audit_entries IN ACCESS EXCLUSIVE MODE")
            with capture_logs() as logs:
                await asyncio.wait_for(trail.close(), 1.5)
            assert pool.in_use == 0
        assert logs == [{"event": "denials not written", "count": 2, "log_level": "error"}]
        assert [line.count for line in await in_tenant(admin, tenant)] == [1, 1]


async def counts(admin: asyncpg.Connection, tenant: TestTenant, expected: list[int]) -> None:
    """Wait up to two seconds for lines with these counts."""
    found: list[int] = []
    for _ in range(100):
        found = [line.count for line in await in_tenant(admin, tenant)]
        if found == expected:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(found)
