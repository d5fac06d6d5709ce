"""Whether this process can serve: the database answers, and its migrations are those of this code."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import asyncpg

from tenantry.database import Database, DatabaseRole, Placement
from tenantry.database.migrations import Chain, pending
from tenantry.kernel import TenantryError

_CHECK_LIMIT = 2.0
"""Seconds after which a database that does not answer counts as unreachable."""
_VERSIONS_KEPT = 30.0
"""Seconds for which "the migrations are at head" is believed; "behind" is asked again every time."""


class Readiness:
    """Whether this process can serve; remembers for a while that the migrations are at head."""

    def __init__(self, database: Database, chains: Sequence[Chain]) -> None:
        self._database = database
        self._chains = chains
        self._current_until = 0.0

    async def problems(self) -> list[str]:
        """Return why requests would fail now; empty when they would not."""
        try:
            async with asyncio.timeout(_CHECK_LIMIT):
                await self._connect()
                return await self._behind()
        except TimeoutError:
            return [f"The database did not answer within {_CHECK_LIMIT:g} s."]
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TenantryError) as error:
            return [f"The database cannot be used: {type(error).__name__}."]

    async def _connect(self) -> None:
        """Ask on connections of its own: a pool that is busy is no reason to be taken out of service."""
        for role in (DatabaseRole.APP, DatabaseRole.CONTROL):
            connection = await self._database.connect(role)
            try:
                await connection.fetchval("SELECT 1")
            finally:
                connection.terminate()

    async def _behind(self) -> list[str]:
        if time.monotonic() < self._current_until:
            return []
        gaps = await pending(self._database.urls, self._chains, [Placement.pool()])
        if not gaps:
            self._current_until = time.monotonic() + _VERSIONS_KEPT
        return [f"Migrations are not at head: {gap}" for gap in gaps]
