"""Drift: where a live schema and the models disagree, tables and security alike. Empty on a good database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import sqlalchemy as sa

from tenantry.database.catalog import Relation, read_relations, read_shapes
from tenantry.database.differences import differences
from tenantry.database.migrations.chains import Chain
from tenantry.database.migrations.comparison import ComparisonScope, compare, migration_context, upgrade_operations
from tenantry.database.migrations.drafting import Renderer
from tenantry.database.migrations.runner import owner_connection
from tenantry.database.migrations.versions import schemas_of
from tenantry.database.placement import Placement
from tenantry.database.planes import Plane
from tenantry.database.urls import DatabaseUrls


async def drift(
    urls: DatabaseUrls, chains: Iterable[Chain], placements: Sequence[Placement], *, security: bool = True
) -> list[str]:
    """Return every difference as ``schema: what a migration would have to do``.

    Comparing a schema with the models takes about 0.1 s, so of placements whose tables have the same digest only the
    first is compared; walls and grants are compared in all. Without `security` only the tables are.
    """
    chains = list(chains)
    found: list[str] = []
    for plane in Plane:
        mine = [chain for chain in chains if chain.plane is plane]
        if mine:
            found += await _drift(urls, ComparisonScope(mine), schemas_of(plane, placements), security=security)
    return found


async def _drift(urls: DatabaseUrls, scope: ComparisonScope, schemas: Sequence[str], *, security: bool) -> list[str]:
    async with owner_connection(urls) as connection:
        shapes = await read_shapes(connection, schemas)
        relations = await read_relations(connection, schemas) if security else []
    compared: dict[str | None, list[str]] = {}
    found: list[str] = []
    for schema in schemas:
        shape = shapes.get(schema)
        if shape not in compared:
            compared[shape] = await compare(urls, scope, schema, lambda connection: _tables(connection, scope))
        live = {relation.name: relation for relation in relations if relation.schema == schema}
        found += [f"{schema}: {line}" for line in (*compared[shape], *_security(scope, live))]
    return found


def _tables(connection: sa.Connection, scope: ComparisonScope) -> list[str]:
    renderer = Renderer(migration_context(connection, scope))
    return [" ".join(renderer.text(one).split()) for one in upgrade_operations(connection, scope)]


def _security(scope: ComparisonScope, live: Mapping[str, Relation]) -> Iterator[str]:
    for name, table in scope.tables.items():
        if name in live:
            yield from (f"{name}: {difference.reason}" for difference in differences(table, live[name]))
