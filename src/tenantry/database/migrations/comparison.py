"""Comparing the models with a live schema, by Alembic and by what Alembic leaves out (check constraints)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import asyncpg
import sqlalchemy as sa
from alembic.autogenerate import produce_migrations
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy.dialects.postgresql import dialect
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from tenantry.database.extension import EXTENSION
from tenantry.database.migrations.chains import Chain
from tenantry.database.migrations.scripts import Scripts
from tenantry.database.planes import METADATA, Plane
from tenantry.database.roles import DatabaseRole
from tenantry.database.urls import DatabaseUrls

_CREATED = re.compile(r"CREATE TABLE (?:\w+\.)?\"?(\w+)\"?")
_preparer = dialect().identifier_preparer  # type: ignore[no-untyped-call]
Result = TypeVar("Result")


class ComparisonScope:
    """Which tables of a plane are compared: those of the models of `chains`, and those that their steps created."""

    def __init__(self, chains: Sequence[Chain]) -> None:
        self.plane = chains[0].plane
        self.tables: dict[str, sa.Table] = {}
        created: set[str] = set()
        for chain in chains:
            self.tables |= chain.tables()
            statements = (statement for step in Scripts(chain).after(None) for statement in step.statements)
            created.update(found[1] for statement in statements if (found := _CREATED.match(statement)))
            created |= chain.extended()
        self._names = created | self.tables.keys()
        self._chains = chains

    @property
    def metadata(self) -> sa.MetaData:
        """The models' side."""
        return METADATA[self.plane]

    def includes_name(self, name: str | None, kind: str, _parents: Mapping[str, Any]) -> bool:
        """Answer Alembic's question which schemas to look at; None is the placement's, first on the search path."""
        return kind != "schema" or name == (None if self.plane is Plane.TENANT else self.plane.value)

    def includes_object(self, item: Any, name: str | None, kind: str, _is_live: bool, _other: object) -> bool:
        """Answer Alembic's question which tables and columns are compared: columns belong to whoever added them."""
        if kind == "column":
            is_theirs = item.info.get(EXTENSION) is None and item.table.name not in self.tables
            is_ours = item.info.get(EXTENSION) is None or any(chain.extends(item) for chain in self._chains)
            return is_ours and not is_theirs
        return kind != "table" or name in self._names


def upgrade_operations(connection: sa.Connection, scope: ComparisonScope) -> list[ops.MigrateOperation]:
    """Return what would have to be done to the live schema to make it equal to the models."""
    script = produce_migrations(migration_context(connection, scope), scope.metadata)
    found = list(_flat(script.upgrade_ops_list[0]))
    created = {one.table_name for one in found if isinstance(one, ops.CreateTableOp)}
    return [*found, *_checks(connection, scope, created)]


def migration_context(connection: sa.Connection, scope: ComparisonScope) -> MigrationContext:
    """Return the context in which Alembic compares and renders."""
    return MigrationContext.configure(
        connection,
        opts={
            "compare_type": True,
            "compare_server_default": True,
            "include_schemas": True,
            "include_name": scope.includes_name,
            "include_object": scope.includes_object,
            "target_metadata": scope.metadata,
        },
    )


async def compare(
    urls: DatabaseUrls, scope: ComparisonScope, schema: str, work: Callable[[sa.Connection], Result]
) -> Result:
    """Run `work` with a synchronous connection of the owner, on which a tenant's tables are those of `schema`.

    The tables of the other planes are qualified; were their schema on the search path, Alembic would take it for the
    default one and not recognise them.
    """
    async with _connection(urls, schema if scope.plane is Plane.TENANT else "public") as connection:
        return await connection.run_sync(work)


@asynccontextmanager
async def _connection(urls: DatabaseUrls, schema: str) -> AsyncIterator[AsyncConnection]:
    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(urls.of(DatabaseRole.OWNER), timeout=10, server_settings={"search_path": schema})

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


def _flat(container: ops.OpContainer) -> Iterator[ops.MigrateOperation]:
    for one in container.ops:
        if isinstance(one, ops.OpContainer):
            yield from _flat(one)
        else:
            yield one


def _checks(connection: sa.Connection, scope: ComparisonScope, created: set[str]) -> Iterator[ops.MigrateOperation]:
    """Compare check constraints by name: Alembic does not, and PostgreSQL prints their conditions in other words."""
    schema = None if scope.plane is Plane.TENANT else scope.plane.value
    live = sa.inspect(connection).get_multi_check_constraints(schema=schema)
    for name, table in scope.tables.items():
        if name in created:
            continue
        found = {str(one["name"]): one["sqltext"] for one in live.get((schema, name), [])}
        wanted = {_name(one): one for one in table.constraints if isinstance(one, sa.CheckConstraint)}
        for missing in sorted(wanted.keys() - found.keys()):
            yield ops.CreateCheckConstraintOp(missing, name, wanted[missing].sqltext, schema=schema)
        for extra in sorted(found.keys() - wanted.keys()):
            gone = ops.CreateCheckConstraintOp(extra, name, sa.text(found[extra]), schema=schema)
            yield ops.DropConstraintOp(extra, name, type_="check", schema=schema, _reverse=gone)


def _name(constraint: sa.CheckConstraint) -> str:
    return str(_preparer.format_constraint(constraint, _alembic_quote=False))
