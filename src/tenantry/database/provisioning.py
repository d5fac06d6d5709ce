"""The ground that migrations build on: the five roles, the database, its schemas, and who may enter.

Done once for a server and a database, by somebody who may create roles; every step may be repeated.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
from sqlalchemy.engine import make_url

from tenantry.database.credentials import kept_passwords, scram_verifier
from tenantry.database.planes import CONTROL_SCHEMA, POOL_SCHEMA, SHARED_SCHEMA
from tenantry.database.roles import DatabaseRole
from tenantry.database.row_security import quoted
from tenantry.database.urls import DatabaseUrls
from tenantry.kernel import ConfigurationError

ROLE_ATTRIBUTES = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION NOBYPASSRLS"
"""Of all five roles, the owner too: it needs no more than to own its schemas."""

SCHEMA_USERS: Mapping[str, Sequence[DatabaseRole]] = {
    CONTROL_SCHEMA: (DatabaseRole.CONTROL, DatabaseRole.PLATFORM),
    SHARED_SCHEMA: (DatabaseRole.APP, DatabaseRole.WORKER),
    POOL_SCHEMA: (DatabaseRole.APP,),
}
"""Who may enter each schema from the start. A migration that grants a table to one more role lets it in as well."""

_LOCK = 0x74656E616E747279  # "tenantry"; two provisioners at once would meet "tuple concurrently updated"


class NotProvisioned(ConfigurationError):
    """The roles or the database are missing, and this connection may not create them."""


async def provision(
    admin_url: str, database: str, *, passwords: Mapping[DatabaseRole, str] | None = None
) -> DatabaseUrls:
    """Create what is missing of the roles, the database and its schemas, and return the URL of each role.

    `admin_url` leads to an existing database (usually ``postgres``) as a role that may create roles and databases.
    `passwords` are set for roles that are created now; those of existing roles stay as they are, because the roles
    belong to the whole server and other installations may use them. Without `passwords` the roles have none: for a
    server that trusts its private socket.

    Raises `NotProvisioned` with the SQL to run, when the role may not create what is missing.
    """
    try:
        async with _connection(admin_url) as admin, _locked(admin):
            await _create_roles(admin, passwords or {})
            await _create_database(admin, database)
            await _create_schemas(admin, admin_url, database)
    except asyncpg.InsufficientPrivilegeError as error:
        raise NotProvisioned(
            f"The connection may not prepare the database {database!r} ({error}). "
            f"Let an administrator run this:\n\n{provisioning_sql(database)}"
        ) from error
    return role_urls(admin_url, database, passwords)


async def provision_keeping_passwords(admin_url: str, database: str, data_dir: Path) -> DatabaseUrls:
    """Provision with generated passwords that are kept in `data_dir` and used again next time.

    Raises `ConfigurationError` when the server's roles have other passwords than the kept ones.
    """
    urls = await provision(admin_url, database, passwords=kept_passwords(data_dir))
    try:
        connection = await asyncpg.connect(urls.of(DatabaseRole.APP), timeout=5)
    except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError):
        raise ConfigurationError(
            f"The role {DatabaseRole.APP} exists on this server with another password than the one in {data_dir}. "
            "Set TENANTRY_DATABASE_URL and its siblings, or restore the credentials.json of the installation that "
            "created the roles."
        ) from None
    await connection.close()
    return urls


def role_urls(server_url: str, database: str, passwords: Mapping[DatabaseRole, str] | None = None) -> DatabaseUrls:
    """Return the URLs of the five roles on the server that `server_url` leads to.

    >>> role_urls("postgresql://root@/postgres?host=/run/pg", "planner").of(DatabaseRole.APP)
    'postgresql://tenantry_app@/planner?host=%2Frun%2Fpg'
    """
    server = make_url(server_url)._replace(password=None)
    urls = {
        role: server.set(username=role.value, database=database, password=(passwords or {}).get(role))
        for role in DatabaseRole
    }
    return DatabaseUrls({role: url.render_as_string(hide_password=False) for role, url in urls.items()})


def provisioning_sql(database: str) -> str:
    """Return the script for ``psql`` that does what `provision` does. It holds no passwords: they are asked for."""
    owner, name = DatabaseRole.OWNER, quoted(database)
    lines = [f"CREATE ROLE {quoted(role)} {ROLE_ATTRIBUTES};\n\\password {quoted(role)}" for role in DatabaseRole]
    lines += [f"CREATE DATABASE {name} OWNER {quoted(owner)} ENCODING 'UTF8' TEMPLATE template0;", f"\\connect {name}"]
    lines += [f"{statement};" for statement in _database_statements(database)]
    lines += [f"SET ROLE {quoted(owner)};", *(f"{s};" for schema in SCHEMA_USERS for s in schema_statements(schema))]
    return "\n".join(lines)


def users_of(schema: str) -> Sequence[DatabaseRole]:
    """Return the roles that may enter a schema; one that is not fixed is a tenant's own, with the users of the pool."""
    return SCHEMA_USERS.get(schema, SCHEMA_USERS[POOL_SCHEMA])


def schema_statements(schema: str) -> Iterator[str]:
    """Yield the statements that create a schema and let only its users enter."""
    name = quoted(schema)
    yield f"CREATE SCHEMA IF NOT EXISTS {name}"
    yield f"REVOKE ALL ON SCHEMA {name} FROM PUBLIC"
    yield f"GRANT USAGE ON SCHEMA {name} TO {', '.join(quoted(role) for role in users_of(schema))}"


async def drop_database(admin_url: str, database: str) -> None:
    """Remove a database and end its connections. The roles stay: other databases of the server may use them."""
    async with _connection(admin_url) as admin:
        await admin.execute(f"DROP DATABASE IF EXISTS {quoted(database)} WITH (FORCE)")


async def _create_roles(admin: asyncpg.Connection, passwords: Mapping[DatabaseRole, str]) -> None:
    rows = await admin.fetch("SELECT rolname FROM pg_roles WHERE rolname = ANY ($1)", [*DatabaseRole])
    existing = {row["rolname"] for row in rows}
    for role in DatabaseRole:
        if role in existing:
            continue
        secret = f" PASSWORD '{scram_verifier(passwords[role])}'" if role in passwords else ""
        await admin.execute(f"CREATE ROLE {quoted(role)} {ROLE_ATTRIBUTES}{secret}")


async def _create_database(admin: asyncpg.Connection, database: str) -> None:
    owner = await admin.fetchval(
        "SELECT rolname::text FROM pg_database JOIN pg_roles r ON r.oid = datdba WHERE datname = $1", database
    )
    if owner is None:
        async with _acting_owner(admin):
            await admin.execute(
                f"CREATE DATABASE {quoted(database)} OWNER {quoted(DatabaseRole.OWNER)} "
                "ENCODING 'UTF8' TEMPLATE template0"
            )
    elif owner != DatabaseRole.OWNER:
        raise NotProvisioned(
            f"The database {database!r} belongs to {owner!r}. Choose another name, or let its owner run: "
            f"ALTER DATABASE {quoted(database)} OWNER TO {quoted(DatabaseRole.OWNER)};"
        )


async def _create_schemas(admin: asyncpg.Connection, admin_url: str, database: str) -> None:
    target = make_url(admin_url).set(database=database).render_as_string(hide_password=False)
    async with _acting_owner(admin), _connection(target) as connection:
        await connection.execute(f"SET ROLE {quoted(DatabaseRole.OWNER)}")
        statements = [*_database_statements(database), *(s for name in SCHEMA_USERS for s in schema_statements(name))]
        await connection.execute(";".join(statements))


def _database_statements(database: str) -> Iterator[str]:
    """TEMP goes as well: a temporary table would come before the tenant's in the search path."""
    yield f"REVOKE ALL ON DATABASE {quoted(database)} FROM PUBLIC"
    yield f"GRANT CONNECT ON DATABASE {quoted(database)} TO {', '.join(quoted(role) for role in DatabaseRole)}"
    yield "REVOKE ALL ON SCHEMA public FROM PUBLIC"


@asynccontextmanager
async def _acting_owner(admin: asyncpg.Connection) -> AsyncIterator[None]:
    """Let an administrator who is no superuser act as the owner, for as long as it takes."""
    if await admin.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
        yield
        return
    await admin.execute(f"GRANT {quoted(DatabaseRole.OWNER)} TO CURRENT_USER")
    try:
        yield
    finally:
        await admin.execute(f"REVOKE {quoted(DatabaseRole.OWNER)} FROM CURRENT_USER")


@asynccontextmanager
async def _connection(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        yield connection
    finally:
        await connection.close(timeout=5)


@asynccontextmanager
async def _locked(admin: asyncpg.Connection) -> AsyncIterator[None]:
    await admin.execute(f"SELECT pg_advisory_lock({_LOCK})")
    try:
        yield
    finally:
        await admin.execute(f"SELECT pg_advisory_unlock({_LOCK})")
