"""The first connection as each role: whether it can be made, and whether it is the role that was meant.

Every later check reads the catalogue by the roles' names. It proves nothing about a URL that signs in as somebody
else: a superuser in `TENANTRY_DATABASE_URL` would pass, and no policy would hold for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import asyncpg
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from tenantry.database import DatabaseRole, DatabaseUrls
from tenantry.kernel import ConfigurationError, TenantryError, Unavailable

_PATIENCE = 5.0
"""Seconds that a connection may take at start."""
_CLOSED = (asyncpg.InvalidCatalogNameError, asyncpg.InsufficientPrivilegeError)
_EXAMPLE = "postgresql://user:password@host:5432/database"


class DatabaseUnreachable(Unavailable):
    """The database cannot be reached."""


class DatabaseClosed(DatabaseUnreachable):
    """The database does not exist, or this role may not enter it."""


class WrongRole(ConfigurationError):
    """A database URL signs in as another role than the one it is for."""


async def require_connections(urls: DatabaseUrls, roles: Iterable[DatabaseRole]) -> None:
    """Sign in once as each role. Raises `DatabaseUnreachable` or `WrongRole` naming every URL that is not right."""
    found = await asyncio.gather(*(_attempt(variable_of(role), urls.of(role), role) for role in roles))
    _refuse([problem for problem in found if problem is not None])


async def reachable(variable: str, url: str) -> str:
    """Return a URL through which the roles and the database of a setting's URL can be made.

    That is the URL itself or, where its database is still missing or belongs to `tenantry_owner` already (who lets
    nobody else in), the same one of the database ``postgres``. Raises `DatabaseUnreachable`.
    """
    problem = await _attempt(variable, url, None)
    if isinstance(problem, DatabaseClosed):
        url = parsed(variable, url).set(database="postgres").render_as_string(hide_password=False)
        problem = await _attempt(variable, url, None)
    if problem is not None:
        raise problem
    return url


def variable_of(role: DatabaseRole) -> str:
    """Return the setting that holds the URL of a role.

    >>> variable_of(DatabaseRole.APP), variable_of(DatabaseRole.OWNER)
    ('TENANTRY_DATABASE_URL', 'TENANTRY_DATABASE_OWNER_URL')
    """
    return "TENANTRY_DATABASE_URL" if role is DatabaseRole.APP else f"TENANTRY_DATABASE_{role.name}_URL"


def parsed(variable: str, url: str) -> URL:
    """Return the parts of a URL. Raises `ConfigurationError`, without showing what may hold a password."""
    try:
        parts = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigurationError(f"{variable} is no URL of a PostgreSQL database: write {_EXAMPLE}") from None
    if parts.drivername not in {"postgresql", "postgres"}:
        raise ConfigurationError(f"{variable} begins with {parts.drivername}://: write {_EXAMPLE}")
    if not parts.database:
        raise ConfigurationError(f"{variable} names no database: write {_EXAMPLE}")
    return parts


def place(parts: URL) -> str:
    """Return where a URL leads, for messages: no password.

    >>> place(make_url("postgresql://app:secret@db.internal/planner"))
    'db.internal:5432/planner'
    """
    host = parts.host or str(parts.query.get("host", "the default socket"))
    return f"{host}:{parts.port or parts.query.get('port', 5432)}/{parts.database}"


def _refuse(problems: list[TenantryError]) -> None:
    for kind in (WrongRole, DatabaseUnreachable):
        if mine := [problem.detail for problem in problems if isinstance(problem, kind)]:
            raise kind("\n".join(mine))


async def _attempt(variable: str, url: str, role: DatabaseRole | None) -> TenantryError | None:
    where = place(parsed(variable, url))
    try:
        connection = await asyncpg.connect(url, timeout=_PATIENCE, command_timeout=_PATIENCE)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        kind = DatabaseClosed if isinstance(error, _CLOSED) else DatabaseUnreachable
        return kind(f"{variable}: {where} {_said(error, variable)}")
    try:
        actual = await connection.fetchval("SELECT session_user::text")
    finally:
        connection.terminate()
    if role is None or actual == role:
        return None
    return WrongRole(
        f"{variable} signs in as {actual!r}, and only {role.value} may stand there: row security is written for that "
        f"role. Put {role.value} and its password into the URL; `tenantry provision` prints the SQL that makes it."
    )


_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, f"did not answer within {_PATIENCE:g} s. Is the address right, and is the way to it open?"),
    (asyncpg.InvalidAuthorizationSpecificationError, "does not accept the user or password."),
    (asyncpg.InvalidCatalogNameError, "does not exist on this server. `tenantry provision` prints the SQL to make it."),
    (asyncpg.CannotConnectNowError, "is starting or stopping. Try again in a moment."),
    (asyncpg.TooManyConnectionsError, "has no free connection. End some sessions, or raise max_connections."),
    (asyncpg.InsufficientPrivilegeError, "is closed to this role. `tenantry provision` prints the SQL that opens it."),
)
"""What each failure means and what to do; the server's own words are localised and change between versions."""


def _said(error: Exception, variable: str) -> str:
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return reason
    if isinstance(error, OSError):
        return f"cannot be reached ({error.strerror or error}). Start the server there, or correct {variable}."
    return f"refused the connection ({type(error).__name__}). Look at the server's log, and at {variable}."
