"""What operators ask: is the process alive, can it serve, how is it doing."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import asyncpg
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from tenantry.app.assembly import Assembly
from tenantry.database import DatabaseRole, Placement
from tenantry.database.migrations import pending
from tenantry.http import public
from tenantry.kernel import TenantryError
from tenantry.observability import CONTENT_TYPE

_CHECK_LIMIT = 2.0
"""Seconds after which a database that does not answer counts as unreachable."""
_VERSIONS_KEPT = 30.0
"""Seconds for which "the migrations are at head" is believed; "behind" is asked again every time."""

router = APIRouter(include_in_schema=False, dependencies=[Depends(public)])


class Readiness:
    """Whether this process can serve; remembers for a while that the migrations are at head."""

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly
        self._current_until = 0.0

    async def problems(self) -> list[str]:
        """Return why requests would fail now; empty when they would not."""
        try:
            async with asyncio.timeout(_CHECK_LIMIT):
                return await self._database() or await self._migrations()
        except TimeoutError:
            return [f"The database did not answer within {_CHECK_LIMIT:g} s."]
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TenantryError) as error:
            return [f"The database cannot be used: {type(error).__name__}."]

    async def _database(self) -> list[str]:
        """Ask on connections of its own: a pool that is busy is no reason to be taken out of service."""
        for role in (DatabaseRole.APP, DatabaseRole.CONTROL):
            connection = await self._assembly.runtime.database.connect(role)
            try:
                await connection.fetchval("SELECT 1")
            finally:
                connection.terminate()
        return []

    async def _migrations(self) -> list[str]:
        if time.monotonic() < self._current_until:
            return []
        assembly = self._assembly
        gaps = await pending(assembly.runtime.database.urls, assembly.application.chains, [Placement.pool()])
        if not gaps:
            self._current_until = time.monotonic() + _VERSIONS_KEPT
        return [f"Migrations are not at head: {gap}" for gap in gaps]


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process is alive; nothing else is asked."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """The process can serve: 200, or 503 with the reasons."""
    problems = await request.app.state.readiness.problems()
    listener = request.app.state.assembly.listener.health
    body: dict[str, Any] = {
        "status": "unavailable" if problems else "ok",
        "problems": problems,
        "facts_cached": listener.hears,
    }
    return JSONResponse(body, status_code=503 if problems else 200)


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """The metrics of this process, for Prometheus."""
    return Response(request.app.state.assembly.runtime.metrics.render(), media_type=CONTENT_TYPE)
