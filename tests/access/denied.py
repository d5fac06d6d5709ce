"""Reading denials past row security, for the tests of the trail."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from tenantry.testing import TestTenant

_COLUMNS = "tenant_id, actor_kind, actor_id, resource_type, resource_id, request_id, after"


@dataclass(frozen=True)
class Line:
    """A line about a denial, with what the tests look at."""

    tenant_id: UUID | None
    actor_kind: str
    actor_id: UUID
    resource_type: str
    resource_id: UUID | None
    request_id: str | None
    after: dict[str, Any]

    @property
    def count(self) -> int:
        return int(self.after["count"])

    @property
    def code(self) -> str:
        return str(self.after["code"])


async def in_tenant(admin: asyncpg.Connection, tenant: TestTenant, *, schema: str = "pool") -> list[Line]:
    """The denials in a tenant's trail, oldest first."""
    rows = await admin.fetch(
        f"SELECT {_COLUMNS} FROM {schema}.audit_entries WHERE tenant_id = $1 AND action = 'access.denied' ORDER BY id",
        tenant.id,
    )
    return [_line(row) for row in rows]


async def of_request(admin: asyncpg.Connection, request_id: str) -> list[tuple[str, str, Line]]:
    """Every line that a request left in either trail: plane, action, line."""
    rows = await admin.fetch(
        f"SELECT 'tenant' AS plane, action, {_COLUMNS} FROM pool.audit_entries WHERE request_id = $1 "
        f"UNION ALL SELECT 'control', action, {_COLUMNS} FROM control.audit_entries WHERE request_id = $1",
        request_id,
    )
    return [(row["plane"], row["action"], _line(row)) for row in rows]


async def outside(admin: asyncpg.Connection, actor_id: UUID) -> list[Line]:
    """The denials of an actor that concern no tenant, oldest first."""
    rows = await admin.fetch(
        f"SELECT {_COLUMNS} FROM control.audit_entries "
        "WHERE tenant_id IS NULL AND actor_id = $1 AND action = 'access.denied' ORDER BY id",
        actor_id,
    )
    return [_line(row) for row in rows]


def _line(row: asyncpg.Record) -> Line:
    found = {name: row[name] for name in _COLUMNS.split(", ")}
    return Line(**found | {"after": json.loads(row["after"] or "{}")})
