"""Digests of a tenant's rows in every table of every plane, read past row security."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from tenantry.database import Placement
from tenantry.kernel import TenantId

Checksums = dict[str, str]

_TABLES = """
    SELECT n.nspname AS schema, c.relname AS name, a.attname AS key
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT a.attisdropped
      AND (n.nspname IN ('pool', 'shared', 'control') OR n.nspname = $1)
      AND (a.attname = 'tenant_id' OR (n.nspname, c.relname, a.attname) IN
           (('control', 'tenants', 'id'), ('control', 'users', 'id'), ('control', 'sessions', 'user_id')))
    ORDER BY 1, 2, 3
"""

_CONTENT = "(to_jsonb(t) - 'last_used_at')::text"
"""A row without when it was used: to try a key that is refused is a use as well."""


class Guard:
    """Watches the rows of a tenant and of its people, as the administrator of the database sees them."""

    def __init__(self, admin: asyncpg.Connection, tenant_id: UUID, people: Sequence[UUID]) -> None:
        self._admin = admin
        self._keys = [tenant_id, *people]
        self._own_schema = Placement.schema_for(TenantId(tenant_id)).schema
        self._query: str | None = None
        self.rows = 0

    async def look(self) -> Checksums:
        """Return a digest for each table."""
        if self._query is None:
            self._query = await self._written()
        found = await self._admin.fetch(self._query, self._keys)
        self.rows = sum(row["rows"] for row in found)
        return {row["place"]: f"{row['rows']}:{row['digest']}" for row in found}

    async def _written(self) -> str:
        parts = []
        for table in await self._admin.fetch(_TABLES, self._own_schema):
            place = f"{table['schema']}.{table['name']}"
            parts.append(
                f"SELECT '{place}' AS place, count(*) AS rows, "
                f"coalesce(sum(hashtextextended({_CONTENT}, 0)), 0)::text AS digest "
                f'FROM "{table["schema"]}"."{table["name"]}" t WHERE t."{table["key"]}" = ANY ($1)'
            )
        return " UNION ALL ".join(parts)


def changed(before: Checksums, after: Checksums) -> list[str]:
    """Return the tables whose rows are not what they were."""
    return [place for place in before if before[place] != after.get(place)]
