"""What can go wrong between us and PostgreSQL, translated once.

Constraint violations are translated by the *name* of the constraint and the SQLSTATE, never by the text of a message:
messages are localised and change between versions.
"""

from __future__ import annotations

import asyncpg
from asyncpg import exceptions as pg

from tenantry.database.constraints import Constraint, Constraints
from tenantry.kernel import ConfigurationError, Conflict, InvalidInput, Kind, TenantryError, Unavailable


class DatabaseUnavailable(Unavailable):
    """The database cannot be reached at the moment."""


class DatabaseBusy(Unavailable):
    """All database connections are in use."""


class StatementTimeout(Unavailable):
    """The database took too long to answer."""


class ConcurrentChange(Unavailable):
    """Somebody else is changing the same rows; try again."""


class ReadOnlyDatabase(Unavailable):
    """The database accepts no changes at the moment."""


class OutcomeUnknown(Unavailable):
    """The connection broke while the change was being committed: it may have happened or not."""


class CommitRefused(TenantryError):
    """The change was not saved."""

    kind = Kind.INTERNAL


class TransactionControl(TenantryError):
    """Only the unit of work commits or rolls back."""

    kind = Kind.INTERNAL


class UniqueConflict(Conflict):
    """Something with these values exists already."""


class ReferenceNotFound(TenantryError):
    """The input refers to something that does not exist."""

    kind = Kind.INVALID


class StillReferenced(Conflict):
    """Other things still refer to this."""


class ValueRefused(TenantryError):
    """The database does not accept a value of the input."""

    kind = Kind.INVALID


class RowSecurityRefused(TenantryError):
    """Row security refused this."""

    kind = Kind.FORBIDDEN


class UnsafeRole(ConfigurationError):
    """A database role could bypass row security."""


class SchemaBehind(ConfigurationError):
    """The database is not at the version that this code needs."""


_UNKNOWN = Constraint()
_RETRY = 1.0
"""Seconds that a client is asked to wait after an outage that is expected to pass by itself."""

_BY_TYPE: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], type[TenantryError]], ...] = (
    (pg.QueryCanceledError, StatementTimeout),
    ((pg.SerializationError, pg.DeadlockDetectedError, pg.LockNotAvailableError), ConcurrentChange),
    (pg.InvalidCachedStatementError, ConcurrentChange),
    (pg.ReadOnlySQLTransactionError, ReadOnlyDatabase),
    (pg.InsufficientPrivilegeError, RowSecurityRefused),
    ((pg.DataError, asyncpg.DataError), ValueRefused),
    (TimeoutError, StatementTimeout),
    (
        (
            pg.PostgresConnectionError,
            pg.InsufficientResourcesError,
            pg.OperatorInterventionError,
            pg.IdleInTransactionSessionTimeoutError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,  # the driver met the end of the connection in the middle of an exchange
            OSError,
        ),
        DatabaseUnavailable,
    ),
)


def translate(error: BaseException, constraints: Constraints, *, deleting: bool = False) -> BaseException:
    """Return the declared error for a failure of the driver, or `error` itself where it is not one.

    `deleting` says that the statement removed rows: until PostgreSQL 18 a kept parent and a dangling child violate a
    foreign key with the same SQLSTATE, constraint and table (ri_triggers.c, ri_ReportViolation).

    >>> translate(ConnectionRefusedError(), {}).code
    'database_unavailable'
    """
    if isinstance(error, TenantryError):
        return error
    if isinstance(error, pg.IntegrityConstraintViolationError):
        return _violation(error, constraints, deleting=deleting)
    for types, declared in _BY_TYPE:
        if isinstance(error, types):
            retry = _RETRY if issubclass(declared, Unavailable) else None
            return declared(retry_after=retry)
    return error


def _violation(
    error: pg.IntegrityConstraintViolationError, constraints: Constraints, *, deleting: bool
) -> TenantryError:
    known = constraints.get(error.constraint_name or "", _UNKNOWN)
    match error:
        case pg.RestrictViolationError():
            return StillReferenced()
        case pg.ForeignKeyViolationError() if deleting:
            return StillReferenced()
        case pg.UniqueViolationError() | pg.ExclusionViolationError():
            return _about(known.error or UniqueConflict, known.field)
        case _ if known.error is not None:
            return _about(known.error, known.field if issubclass(known.error, InvalidInput) else None)
        case pg.ForeignKeyViolationError():
            return _about(ReferenceNotFound, known.field)
        case _:
            return _about(ValueRefused, error.column_name)


def _about(error: type[TenantryError], field: str | None) -> TenantryError:
    return error() if field is None else error.at(f"/{field}")
