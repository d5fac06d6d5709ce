"""The unit of work: one connection, one transaction, one commit, made here and by nobody else.

Door 1 (`one`, `all`, `value`, `run`) sends compiled statements straight to asyncpg. Door 2 (`session`) is an
SQLAlchemy session on the same connection in the same transaction, made on first use.

A standard request is three round trips: the opening batch, the statement, ``COMMIT``. The commit is checked: after an
error that somebody swallowed, PostgreSQL answers ``COMMIT`` with ``ROLLBACK`` and raises nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self, TypeAlias
from uuid import UUID

import asyncpg
import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from tenantry.database.constraints import Constraints
from tenantry.database.errors import CommitRefused, DatabaseUnavailable, OutcomeUnknown, translate
from tenantry.database.lending import LentSession, SessionLender
from tenantry.database.planes import Plane
from tenantry.database.pool import ConnectionPool
from tenantry.database.statements import Statement
from tenantry.kernel import Actor

Row: TypeAlias = asyncpg.Record
"""One row of a door-1 statement: values by name or position."""

_log = structlog.get_logger("tenantry.database")

_LEAVING = 1.0
"""Seconds that a rollback may take before the connection is ended instead."""


class UnitOfWork:
    """A transaction of one actor. Made by `Database`; use it as an async context manager, once.

    Leaving it normally commits; leaving it with any exception rolls back.
    """

    def __init__(  # noqa: PLR0913 - made by `Database` alone
        self,
        pool: ConnectionPool,
        opening: str,
        *,
        plane: Plane,
        actor: Actor,
        request_id: str | None,
        constraints: Constraints,
        lender: SessionLender,
        tenant_id: UUID | None = None,
        reader: Any = None,
    ) -> None:
        self.plane = plane
        self.actor = actor
        self.tenant_id = tenant_id
        self.request_id = request_id
        self._reader = reader
        self._pool = pool
        self._opening = opening
        self._constraints = constraints
        self._lender = lender
        self._lent: LentSession | None = None
        self._connection: asyncpg.Connection | None = None
        self._committed: list[Callable[[], Awaitable[None] | None]] = []

    async def __aenter__(self) -> Self:
        connection = await self._pool.acquire()
        try:
            await connection.execute(self._opening)
        except BaseException as error:
            self._pool.discard(connection)
            raise translate(error, {}) from error
        self._connection = connection
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            await self._abandon()
            return
        try:
            if self._lent is not None:
                await self._lent.flush()
        except BaseException as failure:
            await self._abandon()
            raise translate(failure, self._constraints) from failure
        await self._commit()
        await self._follow()

    async def one(self, statement: Statement, /, **values: Any) -> Row | None:
        """Return the first row, or None."""
        connection = await self._ready(statement)
        try:
            row: Row | None = await connection.fetchrow(statement.sql, *statement.arguments(values))
        except Exception as error:
            raise self._translated(error, statement) from error
        return row

    async def exactly_one(self, statement: Statement, /, **values: Any) -> Row:
        """Return the one row of a statement that always has one (an aggregate). Raises `LookupError` if it has none."""
        row = await self.one(statement, **values)
        if row is None:
            raise LookupError("The statement returned no row.")
        return row

    async def all(self, statement: Statement, /, **values: Any) -> list[Row]:
        """Return every row; the statement bounds their number."""
        connection = await self._ready(statement)
        try:
            rows: list[Row] = await connection.fetch(statement.sql, *statement.arguments(values))
        except Exception as error:
            raise self._translated(error, statement) from error
        return rows

    async def value(self, statement: Statement, /, **values: Any) -> Any:
        """Return the first column of the first row, or None."""
        row = await self.one(statement, **values)
        return None if row is None else row[0]

    async def run(self, statement: Statement, /, **values: Any) -> int:
        """Execute a statement without result rows and return how many rows it changed."""
        connection = await self._ready(statement)
        try:
            status: str = await connection.execute(statement.sql, *statement.arguments(values))
        except Exception as error:
            raise self._translated(error, statement) from error
        count = status.rpartition(" ")[2]  # e.g. "UPDATE 3", "INSERT 0 1"
        return int(count) if count.isdigit() else 0

    async def session(self) -> AsyncSession:
        """Return the ORM session of this transaction (door 2).

        Its queries see what whoever the unit of work was opened for may see. It flushes before door 1 reads, forgets
        what door 1 changed, and refuses `commit`, `rollback`, `begin` and `close`; `begin_nested()` is the inner scope.
        """
        if self._lent is None:
            who = {"actor_kind": self.actor.kind.value, "actor_id": self.actor.id, "request_id": self.request_id}
            self._lent = await self._lender.lend(self._open_connection(), self.tenant_id, self._reader, who)
        return self._lent.session

    def after_commit(self, follow: Callable[[], Awaitable[None] | None]) -> None:
        """Call `follow` once the transaction is committed: for cache invalidation and wake-ups, never for writes.

        What it raises is logged, and changes nothing about the answer: the write has happened.
        """
        self._committed.append(follow)

    async def _follow(self) -> None:
        """Call everything that follows a commit, each whatever becomes of the others; a cancellation comes last."""
        cancelled: BaseException | None = None
        for follow in self._committed:
            try:
                result = follow()
                if result is not None:
                    await result
            except Exception as error:  # noqa: BLE001 - what is committed is not undone by what follows it
                _log.error("after commit failed", follow=getattr(follow, "__qualname__", repr(follow)), exc_info=error)
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            raise cancelled

    async def _ready(self, statement: Statement) -> asyncpg.Connection:
        if self._lent is not None:
            await self._lent.before_statement(statement.writes)
        return self._open_connection()

    def _open_connection(self) -> asyncpg.Connection:
        if self._connection is None:
            raise RuntimeError("This unit of work is not open: use it inside its `async with` block.")
        return self._connection

    def _translated(self, error: Exception, statement: Statement) -> BaseException:
        return translate(error, self._constraints, deleting=statement.deletes)

    async def _commit(self) -> None:
        connection, self._connection = self._open_connection(), None
        try:
            if self._lent is not None:
                await self._lent.close()
            tag = await connection.execute("COMMIT")
        except BaseException as error:
            # Also for a cancelled task: whether the server committed is not known, so the connection is ended
            # instead of being asked; either everything happened or nothing.
            self._pool.discard(connection)
            raise _commit_failure(error, self._constraints) from error
        self._pool.release(connection)
        if tag != "COMMIT":
            raise CommitRefused("An earlier statement of the transaction failed, so PostgreSQL rolled it back.")

    async def _abandon(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        leaving = asyncio.ensure_future(self._roll_back(connection))
        try:
            await asyncio.shield(leaving)
        except asyncio.CancelledError:
            # Cancelled a second time while rolling back: the rollback goes on by itself and returns the connection.
            return

    async def _roll_back(self, connection: asyncpg.Connection) -> None:
        try:
            async with asyncio.timeout(_LEAVING):
                if self._lent is not None:
                    await self._lent.discard()
                await connection.execute("ROLLBACK")
        except Exception:  # noqa: BLE001 - whatever happened, the connection is ended and the first error is the one that counts
            self._pool.discard(connection)
        else:
            self._pool.release(connection)


def _commit_failure(error: BaseException, constraints: Constraints) -> BaseException:
    """A deferred constraint that fails is a known "no"; a connection that breaks during COMMIT leaves it open."""
    translated = translate(error, constraints)
    if isinstance(translated, DatabaseUnavailable) or isinstance(error, TimeoutError):
        return OutcomeUnknown(retry_after=1)
    return translated
