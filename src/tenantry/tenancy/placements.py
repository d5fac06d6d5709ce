"""Where tenants live, as migrations ask for it: read with a connection of its own, before any pool exists."""

from __future__ import annotations

import asyncpg

from tenantry.database import Placement
from tenantry.tenancy.facts import placement_of
from tenantry.tenancy.repository import PLACEMENTS


class StoredPlacements:
    """The `PlacementSource` of the tenants' catalog.

    `url` is that of a role that may read the tenants; migrations pass the owner's.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    async def placements(self) -> list[Placement]:
        """Return the pool and every schema with a tenant in it; the pool alone before the first migration.

        A tenant that is still being prepared is left out: its schema may not exist, and is made at the newest version.
        """
        connection = await asyncpg.connect(self._url, timeout=10)
        try:
            rows = await connection.fetch(PLACEMENTS.sql, *PLACEMENTS.arguments({}))
        except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
            return [Placement.pool()]
        finally:
            connection.terminate()
        schemas = {placement_of(row) for row in rows} - {Placement.pool()}
        return [Placement.pool(), *sorted(schemas, key=lambda placement: placement.schema)]
