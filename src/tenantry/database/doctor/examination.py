"""The examination: every rule over one reading of the catalogue, and the short one at the start of a process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import asyncpg
import sqlalchemy as sa

from tenantry.database.catalog import (
    read_definers,
    read_foreign_keys,
    read_indexes,
    read_public_defaults,
    read_relations,
    read_roles,
    read_server,
    read_triggers,
)
from tenantry.database.doctor.declared import Declared
from tenantry.database.doctor.distribution import distribution_findings, leaking_findings
from tenantry.database.doctor.finding import DatabaseFinding, Severity, error
from tenantry.database.doctor.keys import foreign_key_findings, index_findings, trigger_findings
from tenantry.database.doctor.roles import public_default_findings, role_findings
from tenantry.database.doctor.server import server_findings
from tenantry.database.doctor.tables import MISSING, table_findings
from tenantry.database.doctor.views import definer_findings, view_findings
from tenantry.database.errors import UnsafeRole
from tenantry.database.migrations import Chain, drift, pending
from tenantry.database.placement import Placement
from tenantry.database.roles import SERVING_ROLES, DatabaseRole
from tenantry.database.urls import DatabaseUrls

_SHOWN = 20


async def examine(
    urls: DatabaseUrls,
    chains: Iterable[Chain],
    placements: Sequence[Placement],
    *,
    allowed: Mapping[str, str] | None = None,
    listed: Iterable[sa.Column[object]] = (),
) -> list[DatabaseFinding]:
    """Return everything that is wrong with the database, as the owner sees it.

    `allowed` maps views and functions that may run with their owner's rights to the reason; `listed` are the columns
    by which lists are sorted and filtered.
    """
    chains = list(chains)
    connection = await asyncpg.connect(urls.of(DatabaseRole.OWNER), timeout=10, command_timeout=60)
    try:
        findings = await examine_connection(connection, Declared(chains, placements), allowed=allowed or {})
    finally:
        await connection.close(timeout=5)
    findings += leaking_findings(listed)
    gaps = await pending(urls, chains, placements)
    findings += [error("version", gap.place, str(gap), "tenantry migrate") for gap in gaps]
    if not any(finding.rule == MISSING for finding in findings):
        findings += _drifted(await drift(urls, chains, placements, security=False))
    return findings


async def examine_connection(
    connection: asyncpg.Connection, declared: Declared, *, allowed: Mapping[str, str]
) -> list[DatabaseFinding]:
    """Return what one reading of the catalogue shows, through any connection to the database."""
    findings = await _walls(connection, declared, allowed)
    schemas = declared.schemas
    findings += distribution_findings(declared.tenant_tables.values())
    findings += index_findings(await read_indexes(connection, schemas), declared)
    findings += foreign_key_findings(await read_foreign_keys(connection, schemas), declared)
    findings += trigger_findings(await read_triggers(connection, schemas), declared)
    findings += public_default_findings(await read_public_defaults(connection))
    return findings


async def assert_safe_roles(
    connection: asyncpg.Connection,
    chains: Iterable[Chain],
    placements: Sequence[Placement],
    *,
    allowed: Mapping[str, str] | None = None,
) -> None:
    """Refuse to start where a serving role could get around row security.

    Reads the catalogue alone, so the serving roles check themselves; some round trips for however many tables.
    `placements` are usually the pool alone here: the examination of every schema is `doctor`'s. Tables that are
    missing altogether are the business of `require_current`.

    Raises `UnsafeRole` naming each reason with the SQL that mends it.
    """
    findings = await _walls(connection, Declared(chains, placements), allowed or {})
    reasons = [
        f"- {one.place}: {one.reason}\n  {one.way_out}"
        for one in findings
        if one.severity is Severity.ERROR and one.rule != MISSING
    ]
    if reasons:
        more = [f"- and {len(reasons) - _SHOWN} more: tenantry doctor"] if len(reasons) > _SHOWN else []
        raise UnsafeRole("\n".join(["The database would not keep tenants apart:", *reasons[:_SHOWN], *more]))


async def _walls(
    connection: asyncpg.Connection, declared: Declared, allowed: Mapping[str, str]
) -> list[DatabaseFinding]:
    server = await read_server(connection)
    schemas = declared.schemas
    roles = await read_roles(connection, [*DatabaseRole], [*schemas, "public"])
    relations = await read_relations(connection, schemas)
    definers = await read_definers(connection, [role for role in SERVING_ROLES if role in roles])
    return [
        *server_findings(server.major, server.minor),
        *role_findings(roles, declared, server.database),
        *table_findings(relations, declared),
        *view_findings(relations, allowed),
        *definer_findings(definers, allowed),
    ]


def _drifted(lines: Iterable[str]) -> Iterator[DatabaseFinding]:
    """Report each difference once: placements usually drift together."""
    places: dict[str, list[str]] = {}
    for line in lines:
        place, _, what = line.partition(": ")
        places.setdefault(what, []).append(place)
    way_out = "Write the migration (tenantry migration new), or undo the change by hand."
    for what, drifted in places.items():
        more = f" and {len(drifted) - 1} more" if len(drifted) > 1 else ""
        yield error("drift", f"{drifted[0]}{more}", what, way_out)
