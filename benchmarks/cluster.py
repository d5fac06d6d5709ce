"""The PostgreSQL of a run: the embedded server, durable, as its superuser sees it; and the items it is filled with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg
from uuid_utils.compat import uuid7

from benchmarks import floor, raw_checked
from tenantry.database.embedded import EmbeddedServer
from tenantry.database.embedded.leaving import postmaster_of

Item = tuple[UUID, str, str, int]

_COLUMNS = ("id", "name", "description", "price_cents")
_DESCRIPTION = "A desk with a drawer and four legs, made of oak. " * 2


def new_items(count: int) -> list[Item]:
    """Return items with ids in the order of their making."""
    return [(uuid7(), f"Desk {number}", _DESCRIPTION, 1 + number) for number in range(count)]


@dataclass(frozen=True, slots=True)
class Given:
    """How many grants there are, over how many teams, and in how many of these the person is."""

    grants: int
    teams: int
    teams_of_person: int


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running server."""

    server: EmbeddedServer

    @property
    def postmaster(self) -> int:
        """The pid of the server's first process."""
        pid = postmaster_of(self.server.home / "data")
        if pid is None:
            raise RuntimeError(f"The PostgreSQL server in {self.server.home} has gone.")
        return pid

    def url(self, database: str) -> str:
        """Return the superuser's URL of a database."""
        return self.server.url(database, self.server.superuser)

    def ask(self, sql: str, database: str = "postgres") -> str:
        """Return the first value of a statement."""
        return str(asyncio.run(self._value(sql, database)))

    def make_floor(self, database: str, items: Sequence[Item]) -> None:
        """Make the floor's database."""
        asyncio.run(self._make(database, floor.TABLE))
        asyncio.run(self._fill(database, items))

    def make_by_hand(self, database: str, tenant_id: UUID, user_id: UUID, items: Sequence[Item]) -> None:
        """Make the database of what is written by hand, with the items in one of two tenants."""
        asyncio.run(self._make(database, raw_checked.TABLES))
        asyncio.run(self._add_member(database, tenant_id, user_id))
        asyncio.run(self._fill(database, items, tenant_id=tenant_id))
        asyncio.run(self._fill(database, new_items(100), tenant_id=uuid7()))

    def fill_tenant(self, database: str, tenant_id: UUID, items: Sequence[Item]) -> None:
        """Add the items to a tenant of Planner."""
        asyncio.run(self._fill(database, items, schema="pool", tenant_id=tenant_id))

    def grant(self, database: str, slug: str, email: str, given: Given) -> None:
        """Give a tenant of Planner teams and grants on its items, and put a person into some of the teams."""
        asyncio.run(self._grant(database, slug, email, given))

    def settle(self) -> None:
        """Write everything down and vacuum, so that one measurement does not pay for the one before."""
        asyncio.run(self._settle())

    async def _make(self, database: str, tables: str) -> None:
        async with self._connected("postgres") as connection:
            await connection.execute(f"CREATE DATABASE {database}")
        async with self._connected(database) as connection:
            await connection.execute(tables)

    async def _add_member(self, database: str, tenant_id: UUID, user_id: UUID) -> None:
        async with self._connected(database) as connection:
            await connection.execute("INSERT INTO memberships VALUES ($1, $2, 'owner')", tenant_id, user_id)

    async def _fill(
        self, database: str, items: Sequence[Item], *, schema: str = "public", tenant_id: UUID | None = None
    ) -> None:
        """Add items, each with a time of creation of its own, as requests would have made them."""
        rows = [item if tenant_id is None else (tenant_id, *item) for item in items]
        columns = _COLUMNS if tenant_id is None else ("tenant_id", *_COLUMNS)
        async with self._connected(database) as connection:
            await connection.copy_records_to_table("items", records=rows, columns=columns, schema_name=schema)
            await connection.execute(
                f"UPDATE {schema}.items SET created_at = now() - interval '1 day' + price_cents * interval '1 second' "
                "WHERE id = ANY($1)",
                [item[0] for item in items],
            )

    async def _grant(self, database: str, slug: str, email: str, given: Given) -> None:
        async with self._connected(database) as connection:
            tenant_id = await connection.fetchval("SELECT id FROM control.tenants WHERE slug = $1", slug)
            user_id = await connection.fetchval("SELECT id FROM control.users WHERE email = $1", email)
            items = await connection.fetch(
                "SELECT id FROM pool.items WHERE tenant_id = $1 ORDER BY hashtext(id::text) LIMIT $2",
                tenant_id,
                given.grants,
            )
            teams = [uuid7() for _ in range(given.teams)]
            await connection.executemany(
                "INSERT INTO control.teams (tenant_id, id, name) VALUES ($1, $2, $3)",
                [(tenant_id, team, f"Team {number}") for number, team in enumerate(teams)],
            )
            await connection.executemany(
                "INSERT INTO control.team_members (tenant_id, team_id, user_id) VALUES ($1, $2, $3)",
                [(tenant_id, team, user_id) for team in teams[: given.teams_of_person]],
            )
            await connection.copy_records_to_table(
                "grants",
                schema_name="pool",
                columns=[
                    "tenant_id", "id", "resource_type", "record_id", "subject_type", "subject_id", "action", "effect",
                ],
                records=[
                    (
                        tenant_id,
                        uuid7(),
                        "item",
                        row["id"],
                        "team",
                        teams[number % given.teams],
                        "items:read",
                        "deny" if number // given.teams % 2 else "allow",
                    )
                    for number, row in enumerate(items)
                ],
            )  # fmt: skip
            await connection.execute("UPDATE control.tenants SET granted = '{items}' WHERE id = $1", tenant_id)

    async def _settle(self) -> None:
        async with self._connected("postgres") as connection:
            rows = await connection.fetch("SELECT datname FROM pg_database WHERE datallowconn")
            await connection.execute("CHECKPOINT")
        for row in rows:
            async with self._connected(row["datname"]) as connection:
                await connection.execute("VACUUM ANALYZE")

    async def _value(self, sql: str, database: str) -> object:
        async with self._connected(database) as connection:
            return await connection.fetchval(sql)

    @asynccontextmanager
    async def _connected(self, database: str) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(self.url(database))
        try:
            yield connection
        finally:
            await connection.close()
