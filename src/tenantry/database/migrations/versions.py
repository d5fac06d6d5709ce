"""Version tables: which revision each chain has reached in each schema."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import asyncpg

from tenantry.database.errors import SchemaBehind
from tenantry.database.migrations.chains import Chain
from tenantry.database.migrations.report import Gap
from tenantry.database.migrations.scripts import Scripts, Step
from tenantry.database.placement import Placement
from tenantry.database.planes import CONTROL_SCHEMA, SHARED_SCHEMA, Plane
from tenantry.database.provisioning import users_of
from tenantry.database.roles import DatabaseRole
from tenantry.database.row_security import qualified, quoted
from tenantry.database.urls import DatabaseUrls

_READER = {Plane.CONTROL: DatabaseRole.CONTROL, Plane.SHARED: DatabaseRole.APP, Plane.TENANT: DatabaseRole.APP}
_TABLES_AT_ONCE = 200
"""Version tables read by one statement: enough to make round trips rare, few enough to be planned quickly."""


async def pending(urls: DatabaseUrls, chains: Iterable[Chain], placements: Sequence[Placement]) -> list[Gap]:
    """Return every schema and chain that is not at the version of this code.

    Reads as the serving roles, so a process without the owner's URL can ask.
    """
    gaps: list[Gap] = []
    scripts = [Scripts(chain) for chain in chains]
    for role in (DatabaseRole.CONTROL, DatabaseRole.APP):
        mine = [one for one in scripts if _READER[one.chain.plane] is role and one.head is not None]
        if mine:
            gaps += await _gaps(urls.of(role), mine, placements)
    return gaps


async def require_current(urls: DatabaseUrls, chains: Iterable[Chain], placements: Sequence[Placement]) -> None:
    """Raise `SchemaBehind` when a schema is not at the version of this code."""
    gaps = await pending(urls, chains, placements)
    if not gaps:
        return
    listed = "\n".join(f"- {gap}" for gap in gaps[:10])
    more = f"\n- and {len(gaps) - 10} more" if len(gaps) > 10 else ""
    way = "Start the newer release." if all(gap.is_ahead for gap in gaps) else "Run: tenantry migrate"
    raise SchemaBehind(f"The database is not at the version that this code needs:\n{listed}{more}\n{way}")


async def read_version(connection: asyncpg.Connection, schema: str, chain: Chain) -> str | None:
    """Return the revision that `chain` has reached in `schema`; None is its beginning."""
    table = qualified(chain.version_table, schema)
    if await connection.fetchval("SELECT to_regclass($1)", table) is None:
        return None
    version: str | None = await connection.fetchval(f"SELECT version_num FROM {table}")
    return version


def version_statements(chain: Chain, schema: str, step: Step) -> list[str]:
    """Return the statements that note the version after `step`, in the transaction of the step."""
    table = qualified(chain.version_table, schema)
    readers = ", ".join(quoted(role) for role in users_of(schema))
    column = f"version_num varchar(32) CONSTRAINT pk_{chain.version_table} PRIMARY KEY"
    statements = [
        f"CREATE TABLE IF NOT EXISTS {table} ({column});",
        f"GRANT SELECT ON {table} TO {readers};",
        f"DELETE FROM {table};",
    ]
    if step.version is not None:
        statements.append(f"INSERT INTO {table} (version_num) VALUES ('{step.version}');")
    return statements


def schemas_of(plane: Plane, placements: Sequence[Placement]) -> list[str]:
    """Return the schemas in which the plane's tables live."""
    match plane:
        case Plane.CONTROL:
            return [CONTROL_SCHEMA]
        case Plane.SHARED:
            return [SHARED_SCHEMA]
        case Plane.TENANT:
            return [placement.schema for placement in placements]


async def _gaps(url: str, scripts: Sequence[Scripts], placements: Sequence[Placement]) -> list[Gap]:
    wanted = [(schema, one) for one in scripts for schema in schemas_of(one.chain.plane, placements)]
    connection = await asyncpg.connect(url, timeout=5, command_timeout=30)
    try:
        versions = await _versions(connection, [(schema, one.chain.version_table) for schema, one in wanted])
    finally:
        await connection.close(timeout=5)
    found = [(schema, one, versions.get((schema, one.chain.version_table))) for schema, one in wanted]
    return [
        Gap(schema, one.chain.name, version, one.head, is_ahead=not one.knows(version))
        for schema, one, version in found
        if version != one.head
    ]


async def _versions(connection: asyncpg.Connection, tables: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    rows = await connection.fetch(
        "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE (n.nspname, c.relname) IN (SELECT * FROM unnest($1::text[], $2::text[])) "
        "AND has_schema_privilege(n.oid, 'USAGE')",
        [schema for schema, _ in tables],
        [table for _, table in tables],
    )
    existing = [(row[0], row[1]) for row in rows]
    versions: dict[tuple[str, str], str] = {}
    for start in range(0, len(existing), _TABLES_AT_ONCE):
        share = existing[start : start + _TABLES_AT_ONCE]
        selects = [f"SELECT {i}, version_num FROM {qualified(t, s)}" for i, (s, t) in enumerate(share)]
        for row in await connection.fetch(" UNION ALL ".join(selects)):
            versions[share[row[0]]] = row[1]
    return versions
