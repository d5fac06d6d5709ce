"""The database of a process: a pool for each role, and the scopes that open a unit of work on them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import asyncpg

from tenantry.database.constraints import Constraints
from tenantry.database.lending import Narrowing, SessionLender, Trail
from tenantry.database.placement import Placement
from tenantry.database.planes import CONTROL_SCHEMA, POOL_SCHEMA, Plane
from tenantry.database.planning import Planning
from tenantry.database.pool import ConnectionPool
from tenantry.database.roles import DatabaseRole
from tenantry.database.settings import DatabaseSettings
from tenantry.database.unit_of_work import UnitOfWork
from tenantry.database.urls import DatabaseUrls
from tenantry.kernel import Actor

_STATEMENTS_KEPT = 1000
"""Prepared statements kept per connection: every standard statement of an application, in a few list shapes each."""

_SEARCH_PATHS = {DatabaseRole.APP: f"{POOL_SCHEMA}, pg_temp"}


class Database:
    """Pools by role, and the three scopes. One for a process; `close` it at the end.

    `constraints` maps constraint names to the errors that their violation means.
    """

    def __init__(self, urls: DatabaseUrls, settings: DatabaseSettings, *, constraints: Constraints) -> None:
        self.urls = urls
        self.settings = settings
        self._constraints = constraints
        self._lender = SessionLender(constraints)
        self.app = self._pool(DatabaseRole.APP, settings.pool_size)
        self.control = self._pool(DatabaseRole.CONTROL, settings.control_pool_size)
        self.platform = self._pool(DatabaseRole.PLATFORM, settings.platform_pool_size)

    @property
    def pools(self) -> Iterable[ConnectionPool]:
        """Every pool, for metrics and shutdown."""
        return (self.app, self.control, self.platform)

    def tenant_scope(
        self,
        tenant_id: UUID,
        placement: Placement,
        *,
        actor: Actor,
        request_id: str | None,
        planning: Planning = Planning.KEPT,
        reader: Any = None,
    ) -> UnitOfWork:
        """Open a transaction of one tenant, on the application role, under row security.

        `reader` is for whom it works: ORM queries are narrowed to what they may see (see `narrow_sessions`). The
        application itself works without.
        `planning` says how its statements are planned: fresh for whatever reads many rows.
        """
        opening = f"BEGIN;SET LOCAL app.tenant_id = '{_literal(tenant_id)}';{placement.opening}{planning.value}"
        return self._open(
            self.app, Plane.TENANT, opening, actor=actor, request_id=request_id, tenant_id=tenant_id, reader=reader
        )

    def narrow_sessions(self, narrowing: Narrowing) -> None:
        """Say which rows the ORM queries of a reader see; the assembly does, with the rule of access."""
        self._lender.narrowing = narrowing

    def follow_sessions(self, trail: Trail) -> None:
        """Say who tells what ORM sessions write; the assembly does, with the trail of the resources."""
        self._lender.trail = trail

    def control_scope(
        self,
        *,
        actor: Actor,
        request_id: str | None = None,
        tenant_id: UUID | None = None,
        user_id: UUID | None = None,
    ) -> UnitOfWork:
        """Open a transaction in the control plane.

        Memberships and the like are visible only for `tenant_id`, or where they are `user_id`'s own.
        """
        opening = "BEGIN;"
        if tenant_id is not None:
            opening += f"SET LOCAL app.tenant_id = '{_literal(tenant_id)}';"
        if user_id is not None:
            opening += f"SET LOCAL app.user_id = '{_literal(user_id)}';"
        return self._open(self.control, Plane.CONTROL, opening, actor=actor, request_id=request_id, tenant_id=tenant_id)

    def platform_scope(self, *, actor: Actor, request_id: str | None = None) -> UnitOfWork:
        """Open a transaction of platform administration: it sees every tenant's control facts, and is audited."""
        return self._open(self.platform, Plane.CONTROL, "BEGIN;", actor=actor, request_id=request_id, tenant_id=None)

    async def connect(self, role: DatabaseRole) -> asyncpg.Connection:
        """Open a connection outside the pools: for LISTEN, checks and migrations. The caller closes it."""
        return await self._connect(role)

    async def close(self) -> None:
        """End the connections of every pool."""
        await asyncio.gather(*(pool.close() for pool in self.pools))

    def _open(
        self,
        pool: ConnectionPool,
        plane: Plane,
        opening: str,
        *,
        actor: Actor,
        request_id: str | None,
        tenant_id: UUID | None,
        reader: Any = None,
    ) -> UnitOfWork:
        return UnitOfWork(
            pool,
            opening,
            plane=plane,
            actor=actor,
            request_id=request_id,
            constraints=self._constraints,
            lender=self._lender,
            tenant_id=tenant_id,
            reader=reader,
        )

    def _pool(self, role: DatabaseRole, size: int) -> ConnectionPool:
        return ConnectionPool(
            lambda: self._connect(role),
            name=role.name.lower(),
            size=size,
            wait=self.settings.pool_wait,
        )

    async def _connect(self, role: DatabaseRole) -> asyncpg.Connection:
        settings = self.settings
        return await asyncpg.connect(
            self.urls.of(role),
            timeout=settings.connect_timeout,
            command_timeout=settings.command_timeout,
            statement_cache_size=0 if settings.pgbouncer else _STATEMENTS_KEPT,
            max_cached_statement_lifetime=0,
            server_settings={
                "application_name": f"tenantry {role.name.lower()}",
                "TimeZone": "UTC",
                "search_path": _SEARCH_PATHS.get(role, f"{CONTROL_SCHEMA}, pg_temp"),
                "statement_timeout": _milliseconds(settings.statement_timeout),
                "lock_timeout": _milliseconds(settings.lock_timeout),
                "idle_in_transaction_session_timeout": _milliseconds(settings.idle_in_transaction_timeout),
            },
        )


def _literal(value: UUID) -> str:
    """Return an id as text for the opening batch; only a real UUID becomes part of a statement."""
    if not isinstance(value, UUID):
        raise TypeError(f"an id is a UUID, not {type(value).__name__}")
    return str(value)


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))
