"""The root command and the one place where a failure becomes a message and an exit code."""

from __future__ import annotations

import os
import sys
from typing import Annotated, NoReturn

import typer

from tenantry.cli.commands import (
    access,
    checks,
    database,
    proving,
    readme,
    serving,
    settings,
    shell,
    surface,
    tenants,
    users,
)

app = typer.Typer(
    name="tenantry",
    help="Multi-tenant backends on PostgreSQL. Start here: tenantry dev",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command()(serving.dev)
app.command()(serving.serve)
app.command()(database.provision)
app.command()(database.migrate)
app.command()(database.doctor)
app.add_typer(database.migration, name="migration")
app.command()(checks.check)
app.add_typer(proving.proving, name="prove")
app.command()(surface.routes)
app.command()(surface.openapi)
app.command()(readme.readme)
app.command()(settings.settings)
app.add_typer(tenants.tenant, name="tenant")
app.add_typer(users.user, name="user")
app.add_typer(access.access, name="access")
app.command()(shell.shell)

EXIT_OF_KIND = {
    "configuration": 2,
    "unavailable": 3,
    "not_found": 4,
    "conflict": 5,
    "invalid": 6,
    "bad_request": 6,
    "forbidden": 7,
}
"""Exit codes for scripts; 1 is any other failure."""


@app.callback()
def _root(
    application: Annotated[
        str, typer.Option("--app", envvar="TENANTRY_APP", help="The application: module:attribute.")
    ] = "planner.app:application",
) -> None:
    os.environ["TENANTRY_APP"] = application


def run() -> None:
    """Run a command; a failure that the world outside causes is one message without a traceback."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # noqa: BLE001 - the edge: what is not explained is raised again
        _explain(error)


def _explain(error: Exception) -> NoReturn:
    """End with a message and the exit code of the error's kind; a fault of our own keeps its traceback."""
    import asyncpg

    from tenantry.kernel import Kind, TenantryError

    if isinstance(error, TenantryError) and error.kind is not Kind.INTERNAL:
        print(error.title if error.detail == error.title else f"{error.title}\n{error.detail}", file=sys.stderr)
        sys.exit(EXIT_OF_KIND.get(error.kind.value, 1))
    outside = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)
    if not isinstance(error, outside) or os.environ.get("TENANTRY_DEBUG"):
        raise error
    print(f"The command was interrupted.\n{type(error).__name__}: {error}", file=sys.stderr)
    print("Remove the cause and run it again; TENANTRY_DEBUG=true shows where it happened.", file=sys.stderr)
    sys.exit(EXIT_OF_KIND["unavailable"])
