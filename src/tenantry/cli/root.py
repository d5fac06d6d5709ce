"""The root command and the one place where a failure becomes a message and an exit code."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from tenantry.cli.commands import checks, database, serving, shell, surface, tenants, users

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
app.command()(database.migrate)
app.command()(database.doctor)
app.add_typer(database.migration, name="migration")
app.command()(checks.check)
app.command()(surface.routes)
app.command()(surface.openapi)
app.add_typer(tenants.tenant, name="tenant")
app.add_typer(users.user, name="user")
app.command()(shell.shell)

EXIT_OF_KIND = {"configuration": 2, "unavailable": 3, "not_found": 4, "conflict": 5, "invalid": 6, "forbidden": 7}
"""Exit codes for scripts; 1 is any other failure."""


@app.callback()
def _root(
    application: Annotated[
        str, typer.Option("--app", envvar="TENANTRY_APP", help="The application: module:attribute.")
    ] = "planner.app:application",
) -> None:
    os.environ["TENANTRY_APP"] = application


def run() -> None:
    """Run a command; a declared failure is one message without a traceback."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        from tenantry.kernel import TenantryError

        if not isinstance(error, TenantryError):
            raise
        print(f"{error.title}\n{error.detail}" if error.detail != error.title else error.title, file=sys.stderr)
        sys.exit(EXIT_OF_KIND.get(error.kind.value, 1))
