"""A database of two tenants, seen through the application's own role."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import pytest

from tenantry.database import Database, DatabaseRole, DatabaseSettings, DatabaseUrls, Placement, Planning, UnitOfWork
from tenantry.kernel import SYSTEM, new_id

CANARY = "CNRY"


@dataclass(frozen=True)
class Tenant:
    """A tenant with rows in every table of Planner; each text says whose it is."""

    id: uuid.UUID
    placement: Placement
    database: Database
    items: tuple[uuid.UUID, ...]
    project: uuid.UUID
    task: uuid.UUID

    @property
    def canary(self) -> str:
        return f"{CANARY}.{self.id}"

    def work(self, planning: Planning = Planning.KEPT) -> UnitOfWork:
        return self.database.tenant_scope(self.id, self.placement, actor=SYSTEM, request_id="r-test", planning=planning)


@pytest.fixture(scope="session")
async def database(urls: DatabaseUrls) -> AsyncIterator[Database]:
    opened = Database(urls, DatabaseSettings(pool_size=5, pool_wait=5), constraints={})
    yield opened
    await opened.close()


@pytest.fixture
async def tenants(database: Database, admin_of_tests: asyncpg.Connection) -> tuple[Tenant, Tenant]:
    return await make_tenant(database, admin_of_tests), await make_tenant(database, admin_of_tests)


@pytest.fixture
async def admin_of_tests(urls: DatabaseUrls, admin_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The superuser in the workers' database: it checks from outside what the application's role did."""
    name = urls.of(DatabaseRole.APP).partition("@/")[2].partition("?")[0]
    connection = await asyncpg.connect(admin_url.replace("@/postgres?", f"@/{name}?"))
    yield connection
    await connection.close()


async def make_tenant(
    database: Database,
    admin: asyncpg.Connection,
    placement: Placement | None = None,
    tenant_id: uuid.UUID | None = None,
) -> Tenant:
    placement = placement or Placement.pool()
    made = Tenant(tenant_id or new_id(), placement, database, tuple(new_id() for _ in range(3)), new_id(), new_id())
    owner, schema = new_id(), placement.schema
    async with admin.transaction():
        await admin.executemany(
            f'INSERT INTO "{schema}".items (tenant_id, id, name, price_cents) VALUES ($1, $2, $3, $4)',
            [(made.id, item, f"{made.canary}.items.{number}", 100 + number) for number, item in enumerate(made.items)],
        )
        await admin.execute(
            f'INSERT INTO "{schema}".projects (tenant_id, id, name, owner_id) VALUES ($1, $2, $3, $4)',
            made.id, made.project, f"{made.canary}.projects", owner,
        )  # fmt: skip
        await admin.execute(
            f'INSERT INTO "{schema}".tasks (tenant_id, id, project_id, title, owner_id) VALUES ($1, $2, $3, $4, $5)',
            made.id, made.task, made.project, f"{made.canary}.tasks", owner,
        )  # fmt: skip
    return made
