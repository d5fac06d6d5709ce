"""What a request costs the database: an opening, one statement, a commit, each one round trip, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest
from tests.acceptance.conftest import WorldWith
from tests.acceptance.controls import prepared
from tests.acceptance.scenery import Scenery, furnish
from tests.acceptance.surface import Operation, tenant_operations

from tenantry.kernel import new_id
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio

STANDARD = 3
"""Round trips of a standard request: ``BEGIN; SET LOCAL …``, the statement, ``COMMIT``."""

GRANTED = ("projects", "tasks", "items")
"""The resources whose records are granted one by one."""

MORE = {
    # All statements of a decision are asked anew: teams, grants, roles and the person; the record and its grants.
    "access_explain": (STANDARD + 3) + (STANDARD + 1),
    # Nobody behind the last batch of people is a statement, too, and so is who answers for each service account.
    "access_who_can": (STANDARD + 3) + (STANDARD + 2 + 2),
    **{f"{resource}_grants_list": STANDARD + 1 for resource in GRANTED},  # who may ask, then the list
    # Who may give; in the control plane, what the giver's roles hold now (four statements, locked) and to whom; then
    # who may once more, one at a time, how many there are, the grant, trail and event.
    **{f"{resource}_grants_create": STANDARD + (STANDARD + 4) + (STANDARD + 5) for resource in GRANTED},
    **{f"{resource}_grants_delete": STANDARD + 3 for resource in GRANTED},  # who may, the grant, trail and event
    "activity_list": 2 * STANDARD,  # the trail lies in two planes, each with a transaction of its own
    # The generated body names the project: it must be visible, and whether that is a move is asked of the locked task.
    "tasks_update": STANDARD + 2,
}
"""What costs another number, and why."""


@dataclass
class Meter:
    """Counts what is sent on every connection of a world's pools."""

    statements: list[str] = field(default_factory=list)
    prepared: int = 0

    def note(self, query: asyncpg.connection.LoggedQuery) -> None:
        self.statements.append(query.query)


@pytest.fixture(scope="module")
async def metered(world_with: WorldWith) -> AsyncIterator[tuple[World, Meter]]:
    """A world with one connection for each role, on which every statement is counted."""
    meter = Meter()
    async with world_with(database={"pool_size": 1, "control_pool_size": 1, "pool_wait": 5.0}) as opened:
        for pool in opened.assembly.runtime.database.pools:
            pool._connect = _metering(pool._connect, meter)
        yield opened, meter


def _metering(connect: Any, meter: Meter) -> Any:
    async def metering() -> asyncpg.Connection:
        connection = await connect()
        connection.add_query_logger(meter.note)
        return connection

    return metering


@asynccontextmanager
async def measured(world: World, meter: Meter) -> AsyncIterator[Meter]:
    """Count statements, and the preparations beside them: each is one more round trip."""
    await asyncio.sleep(0)  # the driver tells about a statement in the next turn of the loop
    meter.statements.clear()
    before = _prepared(world)
    yield meter
    await asyncio.sleep(0)
    meter.prepared = _prepared(world) - before


def _prepared(world: World) -> int:
    pools = world.assembly.runtime.database.pools
    return sum(len(connection._stmt_cache._entries) for pool in pools for connection in pool._idle)


@pytest.fixture(scope="module")
async def scenery(metered: tuple[World, Meter]) -> Scenery:
    return await furnish(await metered[0].tenant(side="metered"))


async def test_every_route_of_the_tenant_plane_is_three_round_trips(
    metered: tuple[World, Meter], scenery: Scenery
) -> None:
    world, meter = metered
    counted = set()
    for operation in tenant_operations(world.app):
        if not _is_of_tenant_plane(operation):
            continue
        await _call(operation, scenery)  # statements are prepared and facts known after the first call
        ids = await prepared(operation, scenery)
        if operation.writes:
            await _settled(world, meter, scenery)
        async with measured(world, meter):
            await operation.send(scenery.tenant.owner, ids, mark=scenery.canary)
        place = f"{operation.id}: {meter.statements}"
        assert len(meter.statements) == MORE.get(operation.id, STANDARD), place
        assert meter.prepared == 0, place
        assert meter.statements[0].startswith("BEGIN;"), place
        assert meter.statements[-1] == "COMMIT", place
        counted.add(operation.id)
    assert len(counted) > 25
    assert set(MORE) <= counted


async def _settled(world: World, meter: Meter, scenery: Scenery) -> None:
    """Wait until what was made for a call is known: a new grant on a whole resource is announced behind its answer."""
    quiet = 0
    for _ in range(100):
        await asyncio.sleep(0.03)
        async with measured(world, meter):
            await scenery.tenant.owner.get("/items")
        quiet = quiet + 1 if len(meter.statements) == STANDARD else 0
        if quiet == 2:
            return
    raise AssertionError(f"a list is more than three round trips: {meter.statements}")


async def _call(operation: Operation, scenery: Scenery) -> None:
    ids = await prepared(operation, scenery)
    answer = await operation.send(scenery.tenant.owner, ids, mark=scenery.canary)
    assert answer.is_success, f"{operation.id}: {answer.text}"


CONTROL_PLANE = {
    "tenant", "members", "invitations", "teams", "roles", "permissions", "api-keys", "service-accounts", "grants",
}  # fmt: skip
"""First parts of paths whose records are facts of the control plane: rare, and checked by more than one statement."""


def _is_of_tenant_plane(operation: Operation) -> bool:
    return operation.path.split("/")[3] not in CONTROL_PLANE


async def test_a_task_that_stays_where_it_is_is_three_round_trips_too(
    metered: tuple[World, Meter], scenery: Scenery
) -> None:
    world, meter = metered
    path, body = f"/tasks/{scenery.ids['tasks']}", {"title": "x", "assignee_id": str(scenery.ids["assignee_id"])}
    await scenery.tenant.owner.patch(path, json=body)
    async with measured(world, meter):
        assert (await scenery.tenant.owner.patch(path, json=body)).status_code == 200
    assert (len(meter.statements), meter.prepared) == (STANDARD, 0)


async def test_what_is_refused_before_the_database_costs_it_nothing(
    metered: tuple[World, Meter], scenery: Scenery
) -> None:
    world, meter = metered
    owner: TestTenant = scenery.tenant
    await owner.owner.get("/items")
    async with measured(world, meter):
        for method, path, body in (
            ("GET", "/items?page=0", None),
            ("POST", "/items", {"name": ""}),
            ("GET", "/items/not-an-id", None),
            ("GET", "/nothing", None),
        ):
            answer = await owner.owner.request(method, path, json=body)
            assert answer.status_code in {400, 404, 422}
        for token in ("x", "a.b.c", "", "e30.e30.e30"):
            client = world.client({"Authorization": f"Bearer {token}", "X-Tenant-Id": str(owner.id)})
            assert (await client.get("/items")).status_code == 401
    assert meter.statements == []


async def test_a_repeated_idempotency_key_costs_a_claim_and_a_look(
    metered: tuple[World, Meter], scenery: Scenery
) -> None:
    world, meter = metered

    async def post(key: str) -> None:
        answer = await scenery.tenant.owner.post(
            "/items", json={"name": "x", "price_cents": 1}, headers={"Idempotency-Key": key}
        )
        assert answer.status_code == 201

    await post("warm")
    await post("warm")
    key = new_id().hex
    async with measured(world, meter):
        await post(key)
    assert (len(meter.statements), meter.prepared) == (STANDARD + 2, 0)
    async with measured(world, meter):
        await post(key)
    assert (len(meter.statements), meter.prepared) == (STANDARD + 1, 0)


async def test_a_list_of_any_length_is_one_statement(metered: tuple[World, Meter], scenery: Scenery) -> None:
    world, meter = metered
    for number in range(30):
        answer = await scenery.tenant.owner.post("/items", json={"name": str(number), "price_cents": 1})
        assert answer.status_code == 201
    for query in ({"limit": "1"}, {"limit": "30"}, {"limit": "30", "with_total": "true"}):
        await scenery.tenant.owner.get("/items", params=query)
        async with measured(world, meter):
            await scenery.tenant.owner.get("/items", params=query)
        assert (len(meter.statements), meter.prepared) == (STANDARD, 0)
