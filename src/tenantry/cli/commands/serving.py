"""`dev` and `serve`."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.cli.context import DataDir, load, load_application, run_async

if TYPE_CHECKING:
    from tenantry.app import Assembly, Settings

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)]


def dev(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    data_dir: DataDir = None,
    demo: Annotated[bool, typer.Option(help="Fill an empty database with the demo.")] = True,
) -> None:
    """Run everything for development: PostgreSQL if none is given, migrations, demo, API.

    Several on one data directory share its server; each needs a port of its own.

    Example: tenantry dev --port 9000
    """
    from tenantry.kernel import ConfigurationError, Environment

    settings = load(environment="development", data_dir=data_dir)
    if settings.environment is Environment.PRODUCTION:
        raise ConfigurationError(
            "TENANTRY_ENVIRONMENT is production, and `tenantry dev` makes accounts with a published password. "
            "Run `tenantry serve`, or unset TENANTRY_ENVIRONMENT."
        )
    _logging(settings)
    with _listening(host, port) as listening:
        run_async(_dev(settings, listening, demo=demo))


def serve(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Serve the API for production: no seed, no migrations, nothing started beside it.

    SIGTERM and SIGINT finish the running requests first. Settings: docs/settings.md.

    Example: TENANTRY_DATABASE_URL=postgresql://… tenantry serve --host 0.0.0.0
    """
    from tenantry.app import refuse_unsafe

    settings = load(environment="production")
    refuse_unsafe(settings)
    _logging(settings)
    with _listening(host, port) as listening:
        run_async(_serve(settings, listening))


async def _dev(settings: Settings, listening: socket.socket, *, demo: bool) -> None:
    from tenantry.app import database_urls, migrated, seeded
    from tenantry.app import serve as serve_application

    application = load_application()

    async def started(assembly: Assembly) -> None:
        logins = await seeded(assembly) if demo else None
        base = f"http://{_address(listening)}"
        print(f"\n{application.title}\n  API   {base}/api/v1\n  docs  {base}/docs")
        if logins:
            print(logins)
        print(flush=True)

    _say(f"PostgreSQL: {'TENANTRY_DATABASE_URL' if settings.database.url else f'embedded, in {settings.data_dir}'}")
    async with database_urls(settings) as urls:
        applied = await migrated(application, urls)
        _say(f"Migrations: {f'{applied} applied' if applied else 'nothing to do'}")
        await serve_application(application, settings, urls, listening=listening, started=started)


async def _serve(settings: Settings, listening: socket.socket) -> None:
    from tenantry.app import database_urls
    from tenantry.app import serve as serve_application

    application = load_application()

    async def started(_assembly: Assembly) -> None:
        _say(f"{application.title} at http://{_address(listening)}")

    async with database_urls(settings) as urls:
        await serve_application(application, settings, urls, listening=listening, started=started)


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    """Take the port before anything slow is begun."""
    from tenantry.app import listen

    with listen(host, port) as listening:
        yield listening


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _say(line: str) -> None:
    print(line, flush=True)


def _logging(settings: Settings) -> None:
    from tenantry.observability import configure_logging

    level = "debug" if settings.debug else settings.log.level
    configure_logging(level, settings.log.format_for(settings.environment))
