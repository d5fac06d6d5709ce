"""`dev` and `serve`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.cli.context import load, load_application, run_async

if TYPE_CHECKING:
    from tenantry.app import Assembly, Settings

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)]


def dev(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    data_dir: Annotated[Path | None, typer.Option(help="Where development state lives (default .tenantry).")] = None,
    demo: Annotated[bool, typer.Option(help="Fill an empty database with the demo.")] = True,
) -> None:
    """Run everything for development: PostgreSQL if none is given, migrations, demo, API.

    Example: tenantry dev --port 9000
    """
    settings = load(environment="development", data_dir=data_dir)
    _logging(settings)
    run_async(_dev(settings, host, port, demo=demo))


def serve(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Serve the API for production: no seed, no migrations, nothing started beside it.

    Example: TENANTRY_DATABASE_URL=postgresql://… tenantry serve --host 0.0.0.0
    """
    settings = load()
    _logging(settings)
    run_async(_serve(settings, host, port))


async def _dev(settings: Settings, host: str, port: int, *, demo: bool) -> None:
    from tenantry.app import database_urls, migrated, seeded
    from tenantry.app import serve as serve_application

    application = load_application()

    async def started(assembly: Assembly) -> None:
        logins = await seeded(assembly) if demo else None
        base = f"http://{host}:{port}"
        print(f"\n{application.title}\n  API   {base}/api/v1\n  docs  {base}/docs")
        if logins:
            print(logins)
        print(flush=True)

    async with database_urls(settings) as urls:
        await migrated(application, urls)
        await serve_application(application, settings, urls, host=host, port=port, started=started)


async def _serve(settings: Settings, host: str, port: int) -> None:
    from tenantry.app import database_urls, refuse_unsafe
    from tenantry.app import serve as serve_application

    refuse_unsafe(settings)
    async with database_urls(settings) as urls:
        await serve_application(load_application(), settings, urls, host=host, port=port)


def _logging(settings: Settings) -> None:
    from tenantry.observability import configure_logging

    level = "debug" if settings.debug else settings.log.level
    configure_logging(level, settings.log.format_for(settings.environment))
