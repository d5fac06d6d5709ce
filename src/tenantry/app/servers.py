"""Which PostgreSQL a process works on: the one that settings name, or the embedded one of development."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import SecretStr

from tenantry.app.settings import Settings
from tenantry.database import DatabaseRole, DatabaseSettings, DatabaseUrls
from tenantry.database.embedded import EmbeddedServer, find_binaries
from tenantry.database.provisioning import provision, provision_keeping_passwords
from tenantry.kernel import ConfigurationError, Environment

EMBEDDED_DATABASE = "tenantry"
"""Name of the database in the embedded server."""


@asynccontextmanager
async def database_urls(settings: Settings) -> AsyncIterator[DatabaseUrls]:
    """Provide the URL of each role for as long as the process works, starting and stopping what that takes.

    With every role's URL set, those are used. With `TENANTRY_DATABASE_URL` alone, development creates the roles
    through it. Without it, development starts the embedded server in the data directory. Production does neither.
    """
    database = settings.database
    if database.url is not None and database.control_url is not None:
        yield urls_from(database)
    elif settings.environment is Environment.PRODUCTION:
        raise ConfigurationError("TENANTRY_DATABASE_URL and TENANTRY_DATABASE_CONTROL_URL name the server; set both.")
    elif database.url is not None:
        url = database.url.get_secret_value()
        yield await provision_keeping_passwords(url, _database_of(url), settings.data_dir)
    else:
        server = EmbeddedServer(settings.data_dir / "postgres", find_binaries(database.binaries))
        await asyncio.to_thread(server.start)
        try:
            yield await provision(server.url("postgres", server.superuser), EMBEDDED_DATABASE)
        finally:
            await asyncio.to_thread(server.stop)


def urls_from(database: DatabaseSettings) -> DatabaseUrls:
    """Return the URLs that the settings name; roles without one are missing and refuse when they are needed."""
    named = {
        DatabaseRole.APP: database.url,
        DatabaseRole.CONTROL: database.control_url,
        DatabaseRole.WORKER: database.worker_url,
        DatabaseRole.PLATFORM: database.platform_url,
        DatabaseRole.OWNER: database.owner_url,
    }
    return DatabaseUrls({role: url.get_secret_value() for role, url in named.items() if url is not None})


def with_development_secret(settings: Settings) -> Settings:
    """Return settings with a secret: outside production one is made once and kept in the data directory (0600).

    Production must bring its own; see `refuse_unsafe`.
    """
    if settings.environment is Environment.PRODUCTION or settings.identity.secret is not None:
        return settings
    secret = _kept_secret(settings.data_dir / "secret.json")
    identity = settings.identity.model_copy(update={"secret": SecretStr(secret)})
    return settings.model_copy(update={"identity": identity})


def _kept_secret(path: Path) -> str:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        kept: str = json.loads(path.read_text())["secret"]
        return kept
    with os.fdopen(descriptor, "w") as file:
        secret = secrets.token_urlsafe(48)
        json.dump({"secret": secret}, file)
    return secret


def _database_of(url: str) -> str:
    name = url.partition("://")[2].partition("/")[2].partition("?")[0]
    if not name:
        raise ConfigurationError("TENANTRY_DATABASE_URL names no database: postgresql://user@host:5432/<database>")
    return name
