"""Grants cost what the page costs, not what the tenant has: the plans of lists, counted in buffers.

One tenant has 10,000 and then 100,000 records, 10,000 grants of 200 teams, and a person in 20 of the teams, to whom
1,000 of the grants apply, half of them denies. Another tenant with 1,000 records lies in the same tables.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import select
from tests.access.plans import Plan, plan_of
from tests.access.scenes import CATALOG, RESOURCES, Cast, OwnRole, Scene, superuser

from planner.items.router import router as items
from planner.tasks.router import router as tasks
from tenantry.database import Database, DatabaseSettings, DatabaseUrls, Statement
from tenantry.kernel import new_id
from tenantry.query import ListShape, Paging

pytestmark = pytest.mark.anyio

FEW, MANY, ELSEWHERE = 10_000, 100_000, 1_000
NEWEST = ListShape((), (("created_at", True), ("id", True)))
AFTER = replace(NEWEST, paging=Paging.KEYSET, null_keys=(False, False))
SPECS = {"items": items.spec, "tasks": tasks.spec}
READER = OwnRole("reader", CATALOG.expand(["items:read", "projects:read", "tasks:read"]))
VISITOR = OwnRole("visitor", frozenset({"projects:read"}))
"""Sees projects, and only those tasks and items that were granted."""

_ITEMS = """
INSERT INTO pool.items (tenant_id, id, name, price_cents, created_at)
SELECT $1, gen_random_uuid(), 'CNRY item ' || n, 5, now() - n * interval '1 s' FROM generate_series($2::int, $3::int) n
"""
_TASKS = """
WITH added AS (
  INSERT INTO pool.projects (tenant_id, id, name, owner_id)
  SELECT $1, gen_random_uuid(), 'CNRY project', $1 FROM generate_series($2::int, $3::int, 10) RETURNING id)
INSERT INTO pool.tasks (tenant_id, id, project_id, title, owner_id, created_at)
SELECT $1, gen_random_uuid(), ids[1 + n % array_length(ids, 1)], 'CNRY task ' || n, $1, now() - n * interval '1 s'
  FROM generate_series($2::int, $3::int) n, (SELECT array_agg(id) AS ids FROM added) AS of_tenant
"""
_GRANTS = """
INSERT INTO pool.grants (tenant_id, id, resource_type, record_id, subject_type, subject_id, action, effect)
SELECT $1, gen_random_uuid(), 'any', granted.id, 'team', ($2::uuid[])[1 + n % 200], $3,
       CASE WHEN n / 200 % 2 = 0 THEN 'deny' ELSE 'allow' END
  FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM pool.{table} WHERE tenant_id = $1
         ORDER BY id LIMIT $4) AS granted
"""
_TABLES = ("items", "projects", "tasks", "grants")


@dataclass
class Measured:
    """The plans of one list, by what was asked, with few records and with many."""

    few: dict[str, Plan]
    many: dict[str, Plan]


@pytest.fixture(scope="module")
async def measured(urls: DatabaseUrls, admin_url: str) -> AsyncIterator[Measured]:
    database = Database(urls, DatabaseSettings(pool_size=2, pool_wait=5), constraints={})
    large, small = Scene.begin(database), Scene.begin(database)
    teams = [new_id() for _ in range(200)]
    async with superuser(urls, admin_url) as admin:
        try:
            await grow(admin, small, 1, ELSEWHERE)
            await grow(admin, large, 1, FEW)
            for table, action, number in (
                ("items", "items:read", 10_000),
                ("tasks", "tasks:read", 9_000),
                ("projects", "tasks:read", 1_000),
            ):
                await admin.execute(_GRANTS.format(table=table), large.tenant.id, teams, action, number)
            await settle(admin)
            few = await plans(large, teams[:20])
            await grow(admin, large, FEW + 1, MANY)
            await settle(admin)
            yield Measured(few, await plans(large, teams[:20]))
        finally:
            for table in ("tasks", "projects", "items", "grants"):
                await admin.execute(
                    f"DELETE FROM pool.{table} WHERE tenant_id = ANY ($1)", [large.tenant.id, small.tenant.id]
                )
            await settle(admin)
            await database.close()


async def grow(admin: asyncpg.Connection, scene: Scene, first: int, last: int) -> None:
    """Add items, and tasks of new projects, ten of each; the newest come first."""
    for fill in (_ITEMS, _TASKS):
        await admin.execute(fill, scene.tenant.id, first, last)


async def settle(admin: asyncpg.Connection) -> None:
    for table in _TABLES:
        await admin.execute(f"VACUUM ANALYZE pool.{table}")


async def plans(scene: Scene, teams: list[UUID]) -> dict[str, Plan]:
    """Run the lists as both, and as the reader a page further on and the list of one project."""
    people = [scene.principal(Cast(role=role.name, teams=teams, own_roles=[role])) for role in (READER, VISITOR)]
    found = {
        f"{name} of a {principal.role}": await plan_of(scene, RESOURCES[name], spec, principal, NEWEST)
        for principal in people
        for name, spec in SPECS.items()
    }
    reader, rows = people[0], RESOURCES["tasks"].table
    middle = Statement(
        select(rows.c.created_at, rows.c.id, rows.c.project_id)
        .order_by(rows.c.created_at.desc())
        .offset(FEW // 2)
        .limit(1)
    )
    async with scene.work() as uow:
        [row] = await uow.all(middle)
    further = {"k0": row["created_at"], "k1": row["id"]}
    for name, shape, given in (
        ("tasks after a cursor", AFTER, further),
        ("tasks of a project", NEWEST, {"parent_id": row["project_id"]}),
    ):
        found[name] = await plan_of(scene, RESOURCES["tasks"], SPECS["tasks"], reader, shape, **given)
    return found


READERS = ("items of a reader", "tasks of a reader", "tasks after a cursor")
VISITORS = ("items of a visitor", "tasks of a visitor")


@pytest.mark.parametrize("name", READERS)
async def test_who_sees_all_but_what_is_denied_reads_no_more_of_a_larger_tenant(name: str, measured: Measured) -> None:
    few, many = measured.few[name], measured.many[name]
    assert few.count == many.count == 51
    assert many.buffers <= 1.1 * few.buffers
    assert many.buffers <= 400


@pytest.mark.parametrize("name", VISITORS)
async def test_who_sees_only_what_is_granted_reads_what_is_granted(name: str, measured: Measured) -> None:
    """A few pages for each of the 800 records that are granted, by themselves or by their project: they are sorted."""
    many = measured.many[name]
    assert many.count == 51
    assert many.buffers <= 5 * 800, many.outline


@pytest.mark.parametrize("name", [*READERS, *VISITORS, "tasks of a project"])
async def test_no_list_reads_a_large_table_of_records_from_end_to_end(name: str, measured: Measured) -> None:
    plan = measured.many[name]
    for table in ("items", "projects", "tasks"):
        assert "Seq Scan" not in plan.scans(table), plan.outline
