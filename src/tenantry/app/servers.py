"""Which PostgreSQL a process works on: the one that settings name, or the embedded one of development."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg
import structlog
from pydantic import SecretStr

from tenantry.app.connecting import parsed, reachable
from tenantry.app.settings import Settings
from tenantry.database import DatabaseRole, DatabaseSettings, DatabaseUrls
from tenantry.database.embedded import EmbeddedError, EmbeddedServer, find_binaries
from tenantry.database.provisioning import provision, provision_keeping_passwords
from tenantry.kernel import ConfigurationError, Environment

EMBEDDED_DATABASE = "tenantry"
"""Name of the database in the embedded server."""

_URL = "TENANTRY_DATABASE_URL"
_CONTROL_URL = "TENANTRY_DATABASE_CONTROL_URL"
_EMBEDDED_HOME = "postgres"
_CREDENTIALS = "credentials.json"
_SECRET = "secret.json"  # noqa: S105 - the name of a file
_PAUSE = 2.0
"""Seconds between two attempts to bring the embedded server back."""


def has_development_state(data_dir: Path) -> bool:
    """Tell whether `tenantry dev` has worked with this data directory."""
    return (data_dir / _EMBEDDED_HOME).is_dir() or (data_dir / _CREDENTIALS).is_file()


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
        raise ConfigurationError(_no_urls(settings))
    elif database.url is not None:
        url = database.url.get_secret_value()
        name = parsed(_URL, url).database
        yield await provision_keeping_passwords(await reachable(_URL, url), str(name), settings.data_dir)
    else:
        async with _embedded(settings) as urls:
            yield urls


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

    Production must bring its own; see `refuse_unsafe`. Raises `ConfigurationError` when the directory cannot be used.
    """
    if settings.environment is Environment.PRODUCTION or settings.identity.secret is not None:
        return settings
    try:
        secret = _kept_secret(settings.data_dir / _SECRET)
    except OSError as error:
        raise ConfigurationError(
            f"The data directory {settings.data_dir} cannot be used: {error.strerror} ({error.filename}). "
            "Name one that this user may write: --data-dir or TENANTRY_DATA_DIR."
        ) from None
    identity = settings.identity.model_copy(update={"secret": SecretStr(secret)})
    return settings.model_copy(update={"identity": identity})


def _kept_secret(path: Path) -> str:
    """Return the secret in `path`. When two processes start at once, the first to write wins and both return it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        draft.touch(0o600)
        try:
            draft.write_text(json.dumps({"secret": secrets.token_urlsafe(48)}))
            with suppress(FileExistsError):
                os.link(draft, path)  # unlike a rename, a link fails when another process was first
        finally:
            draft.unlink()
    try:
        kept: str = json.loads(path.read_text())["secret"]
    except (ValueError, KeyError, TypeError):
        raise ConfigurationError(
            f"{path} does not hold the secret that was kept there. Remove it: a new one is made, and everybody signs "
            "in again."
        ) from None
    return kept


def _no_urls(settings: Settings) -> str:
    missing = [name for name, url in ((_URL, settings.database.url), (_CONTROL_URL, None)) if url is None]
    return (
        f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set, and this is production: nothing is "
        "started or created here.\n"
        "Production: set the URL of each role (docs/operations.md).\n"
        f"Development: run `tenantry dev` first; its data directory is not here ({settings.data_dir.absolute()}; "
        "--data-dir names another), or set TENANTRY_ENVIRONMENT=development."
    )


@asynccontextmanager
async def _embedded(settings: Settings) -> AsyncIterator[DatabaseUrls]:
    server = EmbeddedServer(settings.data_dir / _EMBEDDED_HOME, find_binaries(settings.database.binaries))
    await asyncio.to_thread(server.start)
    is_ending = asyncio.Event()
    guard = asyncio.create_task(_kept_running(server, is_ending), name="tenantry embedded server")
    try:
        yield await provision(server.url("postgres", server.superuser), EMBEDDED_DATABASE)
    finally:
        is_ending.set()
        await asyncio.wait([guard])  # never cancelled: it may be starting the server in a thread
        await asyncio.to_thread(server.stop)


async def _kept_running(server: EmbeddedServer, is_ending: asyncio.Event) -> None:
    """Start the server again when it was killed; requests are answered 503 meanwhile.

    An idle connection of ours notices at once and costs nothing.
    """
    log = structlog.get_logger("tenantry.postgres")
    while not await _not_needed(server, is_ending):
        if not (server.home / "data" / "PG_VERSION").exists():
            log.error("the data directory was removed: end this process and start again", directory=str(server.home))
            return
        try:
            log.warning("the embedded PostgreSQL ended and is started again", directory=str(server.home))
            await asyncio.to_thread(server.start)
        except EmbeddedError as error:
            log.error("the embedded PostgreSQL does not start", reason=error.detail)  # noqa: TRY400 - says it all
            await asyncio.sleep(_PAUSE)


async def _not_needed(server: EmbeddedServer, is_ending: asyncio.Event) -> bool:
    """Wait until the server is not needed any more (True) or gone (False)."""
    is_gone = asyncio.Event()
    try:
        connection = await asyncpg.connect(server.url("postgres", server.superuser), timeout=_PAUSE)
    except (OSError, asyncpg.PostgresError):
        return is_ending.is_set()
    connection.add_termination_listener(lambda _connection: is_gone.set())
    waiting = [asyncio.create_task(event.wait()) for event in (is_ending, is_gone)]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    connection.terminate()
    return is_ending.is_set()
