"""Door 2: an SQLAlchemy session on the connection of a running unit of work.

The engine never opens, begins or commits anything: its "creator" returns the lent connection, its pool keeps none, and
its isolation level is AUTOCOMMIT, so that SQLAlchemy adds no transaction commands of its own. Plain SQLAlchemy on
asyncpg begins lazily; a raw connection handed out before its first statement commits outside the transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextvars import ContextVar
from typing import Any, NoReturn, Protocol
from uuid import UUID

import asyncpg
from sqlalchemy import ExceptionContext, Result, Update, event, func, inspect
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, create_async_engine
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction, with_loader_criteria
from sqlalchemy.pool import NullPool

from tenantry.database.constraints import Constraints
from tenantry.database.errors import RowSecurityRefused, TransactionControl, translate
from tenantry.database.planes import TenantTable
from tenantry.kernel import TenantryError

_lent: ContextVar[_Lent] = ContextVar("lent")


class _Lent:
    """An asyncpg connection that ignores being closed: its owner is the unit of work."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    async def close(self, *_: object, **__: object) -> None:
        """Do nothing; the unit of work gives the connection back."""

    def terminate(self) -> None:
        """Do nothing; the unit of work ends the connection if it must."""

    async def set_type_codec(self, *_: object, **__: object) -> None:
        """Do nothing: codecs would stay with the connection in the pool, and door 1 takes JSON as the text it is."""


class _TenantSession(Session):
    """The synchronous half, which what is listened for below is about; its `info` says for whom it works."""


class _LentAsyncSession(AsyncSession):
    sync_session_class = _TenantSession

    async def commit(self) -> NoReturn:
        """Refuse: the unit of work commits, before the answer leaves."""
        raise TransactionControl("session.commit() is not yours to call: leave the unit of work to commit it.")

    async def rollback(self) -> NoReturn:
        """Refuse: on a lent connection it would roll back nothing, and the flushed rows would be committed."""
        raise TransactionControl("session.rollback() is not yours to call: raise an error to roll the work back.")

    def begin(self) -> NoReturn:
        """Refuse: the transaction is already running; `begin_nested()` is the inner scope."""
        raise TransactionControl("session.begin() is not yours to call: use begin_nested() for an inner scope.")

    async def close(self) -> NoReturn:
        """Refuse: the unit of work closes the session when it ends."""
        raise TransactionControl("session.close() is not yours to call: the unit of work closes it.")


class LentSession:
    """A session with what must happen around it."""

    def __init__(self, session: _LentAsyncSession, connection: AsyncConnection) -> None:
        self.session = session
        self._connection = connection

    async def flush(self) -> None:
        """Send pending changes of the session to the server."""
        await self.session.flush()

    async def before_statement(self, writes: Collection[str]) -> None:
        """Make door 1 see what the session holds, and the session forget the rows of the tables that door 1 writes."""
        if self.session.new or self.session.dirty or self.session.deleted:
            await self.session.flush()
        if writes:
            for row in list(self.session.sync_session):
                if inspect(row).mapper.local_table.name in writes:
                    self.session.expire(row)

    async def close(self) -> None:
        """Detach the session from the connection, without ending anything."""
        await AsyncSession.close(self.session)
        await self._connection.close()

    async def discard(self) -> None:
        """The same on the way to a rollback: nothing more is sent for the session's sake."""
        self.session.sync_session.expunge_all()
        await self._connection.invalidate()


Narrowing = Callable[[ORMExecuteState, Any], None]
"""Adds to an ORM query which rows its reader may see. The reader is whoever the unit of work was opened for."""


class Trail(Protocol):
    """Tells what sessions write. `session.info` holds ``who`` acts (the columns of a line) and the ``tenant_id``."""

    def before_flush(self, session: Session) -> None:
        """Note what is about to be written."""
        ...

    def after_flush(self, session: Session) -> None:
        """Tell what was written."""
        ...

    def execute(self, state: ORMExecuteState) -> Result[Any] | None:
        """Run a statement that writes, and tell it; None where there is nothing to tell."""
        ...


class SessionLender:
    """Makes sessions for lent connections; one for a process."""

    def __init__(self, constraints: Constraints) -> None:
        self.narrowing: Narrowing | None = None
        self.trail: Trail | None = None
        self._constraints = constraints
        self._engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=_lent_connection,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,  # what is written stands in no message: names, addresses, whatever a tenant keeps
        )
        event.listen(self._engine.sync_engine, "handle_error", self._translated)
        # JSON columns are decoded by their types, since the connection decodes nothing (see `_Lent.set_type_codec`).
        self._engine.dialect.supports_native_json_deserialization = False

    async def lend(
        self,
        connection: asyncpg.Connection,
        tenant_id: UUID | None,
        reader: Any = None,
        who: Mapping[str, Any] | None = None,
    ) -> LentSession:
        """Return a session that works on `connection`, in the transaction that runs on it.

        With a reader, its queries see what the reader may see; without, every row of the tenant. `who` acts is for the
        trail.
        """
        token = _lent.set(_Lent(connection))
        try:
            lent = await self._engine.connect()
        finally:
            _lent.reset(token)
        session = _LentAsyncSession(bind=lent, expire_on_commit=False)
        session.info.update(
            tenant_id=tenant_id, reader=reader, narrowing=self.narrowing, trail=self.trail, who=dict(who or {})
        )
        return LentSession(session, lent)

    def _translated(self, context: ExceptionContext) -> BaseException | None:
        """Return the error that a failure of the driver means, as door 1 raises it; None leaves SQLAlchemy's own."""
        failure = context.original_exception.__cause__ or context.original_exception
        translated = translate(failure, self._constraints, deleting="DELETE FROM" in (context.statement or ""))
        return translated if isinstance(translated, TenantryError) else None


async def _lent_connection() -> _Lent:
    return _lent.get()


def _stamp_tenant(session: Session, _context: UOWTransaction, _instances: object) -> None:
    """Give new rows the tenant of the session, and refuse rows of another one with a clear message.

    Row security would refuse them too; this says so before a round trip and names the reason.
    """
    tenant_id = session.info["tenant_id"]
    for row in session.new:
        if not isinstance(row, TenantTable):
            continue
        if inspect(row).attrs.tenant_id.value is None and tenant_id is not None:
            row.tenant_id = tenant_id
        elif row.tenant_id != tenant_id:
            raise RowSecurityRefused(f"A new {type(row).__name__} names another tenant than the unit of work.")
    for row in session.dirty:
        if isinstance(row, TenantTable) and inspect(row).attrs.tenant_id.history.has_changes():
            raise RowSecurityRefused(f"A {type(row).__name__} cannot move to another tenant.")


def _narrow_to_reader(state: ORMExecuteState) -> None:
    """Add the rule of access to an ORM query; columns and relationships of rows that were read were seen already."""
    reader, narrowing = state.session.info["reader"], state.session.info["narrowing"]
    if reader is not None and narrowing is not None and not (state.is_column_load or state.is_relationship_load):
        narrowing(state, reader)


def _narrow_to_tenant(state: ORMExecuteState) -> None:
    """Add the tenant to every ORM query: a convenience for the planner. Row security is the boundary."""
    tenant_id = state.session.info["tenant_id"]
    if tenant_id is None or state.is_column_load or state.is_relationship_load:
        return
    state.statement = state.statement.options(
        with_loader_criteria(TenantTable, lambda model: model.tenant_id == tenant_id, include_aliases=True)
    )


def _count_versions(session: Session, _context: UOWTransaction, _instances: object) -> None:
    """Note what the trail will tell, then count a change of each changed row, as every other write does."""
    if (trail := session.info["trail"]) is not None:
        trail.before_flush(session)
    for row in session.dirty:
        columns = inspect(row).mapper.local_table.c
        if "version" in columns and session.is_modified(row):
            row.version = columns.version + 1
            if "updated_at" in columns:
                row.updated_at = func.now()


def _tell(session: Session, _context: UOWTransaction) -> None:
    if (trail := session.info["trail"]) is not None:
        trail.after_flush(session)


def _execute(state: ORMExecuteState) -> Result[Any] | None:
    """Count the changes of a statement over many rows, and let the trail tell it."""
    mapper, trail = state.bind_mapper, state.session.info["trail"]
    if state.is_update and mapper is not None and isinstance(state.statement, Update):
        columns = mapper.local_table.c
        counted = {"version": columns.version + 1} if "version" in columns else {}
        moved = {"updated_at": func.now()} if "updated_at" in columns else {}
        state.statement = state.statement.values({**counted, **moved})
    return None if trail is None else trail.execute(state)


# Once for the class: a listener that a second lender added would tell everything twice.
event.listen(_TenantSession, "before_flush", _stamp_tenant)
event.listen(_TenantSession, "before_flush", _count_versions)
event.listen(_TenantSession, "after_flush", _tell)
event.listen(_TenantSession, "do_orm_execute", _narrow_to_tenant)
event.listen(_TenantSession, "do_orm_execute", _narrow_to_reader)
event.listen(_TenantSession, "do_orm_execute", _execute)
