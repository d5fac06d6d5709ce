"""The pool: connections go from tenant to tenant and carry nothing along, are never lost, never waited for long."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import UUID

import asyncpg
import pytest
from httpx2 import Response
from sqlalchemy import func, select
from tests.acceptance.conftest import WorldWith
from tests.acceptance.scenery import made

from planner.items.models import Item
from tenantry.database import Database, Placement, PlacementKind, Planning, Statement
from tenantry.kernel import SYSTEM, new_id
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio

NAMES = Statement(select(Item.__table__.c.name))
SETTINGS = Statement(
    select(
        func.pg_backend_pid().label("pid"),
        func.current_setting("app.tenant_id", True).label("tenant"),
        func.current_setting("search_path").label("path"),
    )
)


@pytest.fixture(scope="module")
async def small(world_with: WorldWith) -> AsyncIterator[World]:
    """A world with five connections and one second of patience."""
    async with world_with(database={"pool_size": 5, "pool_wait": 1.0}) as opened:
        yield opened


@pytest.fixture(scope="module")
async def single(world_with: WorldWith) -> AsyncIterator[World]:
    """A world with one connection."""
    async with world_with(database={"pool_size": 1, "pool_wait": 5.0}) as opened:
        yield opened


async def test_twenty_thousand_transactions_of_fifty_tenants_meet_their_own_rows_only(
    small: World, admin: asyncpg.Connection
) -> None:
    tenants = [new_id() for _ in range(50)]
    await admin.executemany(
        "INSERT INTO pool.items (tenant_id, id, name, price_cents) VALUES ($1, $2, $3, 1)",
        [(tenant, new_id(), f"CNRY.{tenant}.{number}") for tenant in tenants for number in range(2)],
    )
    pool = small.assembly.runtime.database.app
    counts = await verified_transactions(small.assembly.runtime.database, tenants, wanted=20_000)
    assert counts["wrong"] == 0
    assert counts["right"] >= 20_000
    assert counts["cancelled"] > 0, "no cancellation met a transaction"
    await asyncio.sleep(0.1)  # rollbacks of the cancelled ones
    assert (pool.in_use, pool.waiting) == (0, 0)
    assert pool.open <= 5


async def verified_transactions(database: Database, tenants: list[UUID], *, wanted: int) -> Counter[str]:
    """Let clients work for random tenants, some of them cut off at a random instant, until enough was verified."""
    counts: Counter[str] = Counter()
    chance = random.Random(50)

    async def transaction() -> None:
        tenant = chance.choice(tenants)
        async with database.tenant_scope(tenant, Placement.pool(), actor=SYSTEM, request_id=None) as uow:
            names = [row["name"] for row in await uow.all(NAMES)]
        is_right = len(names) == 2 and all(name.startswith(f"CNRY.{tenant}.") for name in names)
        counts["right" if is_right else "wrong"] += 1

    async def client() -> None:
        while counts["right"] < wanted:
            if chance.random() > 0.03:
                await transaction()
                continue
            cut_off = asyncio.create_task(transaction())
            await asyncio.sleep(chance.random() * 0.003)
            cut_off.cancel()
            try:
                await cut_off
            except asyncio.CancelledError:
                counts["cancelled"] += 1

    await asyncio.gather(*(client() for _ in range(10)))
    return counts


async def test_what_is_too_much_is_answered_503_soon_and_the_rest_is_served(small: World) -> None:
    tenant = await small.tenant(side="pool")
    await made(tenant, "/items", {"name": tenant.canary, "price_cents": 1})
    # What a request needs besides a connection is known by now: only the pool is tried.
    assert (await tenant.owner.get("/items")).status_code == 200
    database = small.assembly.runtime.database
    async with AsyncExitStack() as held:
        for _ in range(5):
            scope = database.tenant_scope(tenant.id, Placement.pool(), actor=SYSTEM, request_id=None)
            await held.enter_async_context(scope)
        asked = [asyncio.create_task(timed(tenant)) for _ in range(100)]
        alive = await small.client().get("http://test/healthz")
        assert (alive.status_code, any(one.done() for one in asked)) == (200, False)
        answers = await asyncio.gather(*asked)
    assert {answer.status_code for answer, _ in answers} == {503}
    assert {answer.json()["code"] for answer, _ in answers} == {"database_busy"}
    assert all(int(answer.headers["retry-after"]) >= 1 for answer, _ in answers)
    assert max(seconds for _, seconds in answers) < 3
    recovered = time.monotonic()
    served = [answer for answer, _ in await asyncio.gather(*(timed(tenant) for _ in range(100)))]
    assert {answer.status_code for answer in served} == {200}
    assert time.monotonic() - recovered < 5
    assert database.app.in_use == 0


async def timed(tenant: TestTenant) -> tuple[Response, float]:
    began = time.monotonic()
    answer = await tenant.owner.get("/items")
    return answer, time.monotonic() - began


@pytest.mark.parametrize("placement", list(PlacementKind))
async def test_one_connection_serves_two_tenants_by_turns(single: World, placement: PlacementKind) -> None:
    first, second = await single.two_tenants(placement=placement)
    for tenant in (first, second):
        await made(tenant, "/items", {"name": tenant.canary, "price_cents": 1})
    database = single.assembly.runtime.database
    pids = set()
    for number in range(500):
        tenant = (first, second)[number % 2]
        body = (await tenant.owner.get("/items")).json()
        assert [item["name"] for item in body["items"]] == [tenant.canary]
        pids.add(database.app._idle[0].get_server_pid())
    assert len(pids) == 1


async def assert_nothing_lingers(database: Database, tenant_id: UUID) -> None:
    """A connection that comes back knows no tenant, has the default search path and stands in no transaction."""
    own = Placement.schema_for(tenant_id)  # type: ignore[arg-type]
    for placement, planning in ((Placement.pool(), Planning.FRESH), (own, Planning.IN_ORDER)):
        async with database.tenant_scope(tenant_id, placement, actor=SYSTEM, request_id=None, planning=planning) as uow:
            row = await uow.one(SETTINGS)
        assert row is not None
        assert row["tenant"] == str(tenant_id)
        connection = await database.app.acquire()
        try:
            found = await connection.fetchrow(
                "SELECT current_setting('app.tenant_id', true) AS tenant, current_setting('search_path') AS path, "
                "current_setting('plan_cache_mode') AS plans, current_setting('enable_sort') AS sorts, "
                "current_user::text AS role, "
                "(SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory') AS locks"
            )
            assert not connection.is_in_transaction()
        finally:
            database.app.release(connection)
        assert found["tenant"] in (None, "")
        assert (found["path"], found["plans"], found["sorts"]) == ("pool, pg_temp", "auto", "on")
        assert (found["role"], found["locks"]) == ("tenantry_app", 0)


async def test_nothing_of_a_request_lingers_on_its_connection(single: World) -> None:
    for _ in range(20):
        await assert_nothing_lingers(single.assembly.runtime.database, new_id())


async def test_a_connection_that_died_in_the_pool_is_replaced_unnoticed(
    single: World, admin: asyncpg.Connection
) -> None:
    tenant = await single.tenant(side="pool")
    assert (await tenant.owner.get("/items")).status_code == 200
    pid = single.assembly.runtime.database.app._idle[0].get_server_pid()
    await admin.execute("SELECT pg_terminate_backend($1, 2000)", pid)
    await asyncio.sleep(0.05)
    assert (await tenant.owner.get("/items")).status_code == 200
    assert single.assembly.runtime.database.app._idle[0].get_server_pid() != pid
