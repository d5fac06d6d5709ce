"""A database of its own for one proof: made by the application's migrations, gone afterwards."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from sqlalchemy.engine import make_url

from tenantry.app import Application
from tenantry.database import DatabaseRole, DatabaseUrls, Placement
from tenantry.database.embedded import EmbeddedServer, find_binaries
from tenantry.database.migrations import migrate
from tenantry.database.provisioning import drop_database, provision
from tenantry.database.row_security import quoted
from tenantry.kernel import ConfigurationError


@dataclass(frozen=True, slots=True)
class Scratch:
    """A migrated database: where each role connects, and the administrator who sees past row security."""

    urls: DatabaseUrls
    admin_url: str
    version: str
    """The version of PostgreSQL."""


@asynccontextmanager
async def scratch_database(application: Application, server_url: str | None = None) -> AsyncIterator[Scratch]:
    """Provide a database that is empty but for the tables: on an embedded server, or on the one of `server_url`.

    `server_url` is that of an administrator who may create roles and databases, and read past row security. Roles
    that the server had before stay; those made here go with the database.
    """
    if server_url is not None:
        async with _on_server(application, server_url) as scratch:
            yield scratch
        return
    with tempfile.TemporaryDirectory(prefix="tenantry-proof-", ignore_cleanup_errors=True) as directory:
        server = EmbeddedServer(Path(directory) / "postgres", find_binaries(), durable=False)
        await asyncio.to_thread(server.start)
        try:
            async with _database(application, server.url("postgres", server.superuser), passwords=None) as scratch:
                yield scratch
        finally:
            await asyncio.to_thread(server.stop)


@asynccontextmanager
async def _on_server(application: Application, server_url: str) -> AsyncIterator[Scratch]:
    before = await _roles(server_url)
    passwords = {role: secrets.token_urlsafe(24) for role in DatabaseRole}
    try:
        async with _database(application, server_url, passwords=passwords) as scratch:
            yield scratch
    finally:
        await _drop_roles(server_url, [role for role in DatabaseRole if role not in before])


@asynccontextmanager
async def _database(
    application: Application, admin_url: str, *, passwords: dict[DatabaseRole, str] | None
) -> AsyncIterator[Scratch]:
    name = f"tenantry_proof_{secrets.token_hex(6)}"
    try:
        urls = await provision(admin_url, name, passwords=passwords)
        await _require_entry(urls)
        report = await migrate(urls, application.chains, [Placement.pool()])
        if report.failed:
            raise ConfigurationError(f"The migrations fail on an empty database: {report.failed[0].error}")
        target = make_url(admin_url).set(database=name).render_as_string(hide_password=False)
        yield Scratch(urls, target, await _version(target))
    finally:
        await drop_database(admin_url, name)


async def _require_entry(urls: DatabaseUrls) -> None:
    try:
        connection = await asyncpg.connect(urls.of(DatabaseRole.APP), timeout=5)
    except asyncpg.InvalidAuthorizationSpecificationError:
        raise ConfigurationError(
            "The roles of Tenantry exist on this server already, with passwords that are not known here. Name a "
            "server without them, or leave --server out: the proof then starts an embedded server of its own."
        ) from None
    await connection.close()


async def _roles(url: str) -> set[str]:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        return {row["rolname"] for row in await connection.fetch("SELECT rolname FROM pg_roles")}
    finally:
        await connection.close()


async def _drop_roles(url: str, roles: list[DatabaseRole]) -> None:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        for role in roles:
            await connection.execute(f"DROP ROLE IF EXISTS {quoted(role)}")
    finally:
        await connection.close()


async def _version(url: str) -> str:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        return str(await connection.fetchval("SHOW server_version"))
    finally:
        await connection.close()
