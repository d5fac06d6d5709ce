"""`readme`: what the readmes of modules repeat from the code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def readme(
    modules: Annotated[list[str] | None, typer.Argument(help="Names of modules; all without one.")] = None,
    is_check: Annotated[bool, typer.Option("--check", help="Write nothing; name what is out of date.")] = False,
) -> None:
    """Write into docs/readme.md of each module what its declaration says: tables, fields, routes, permissions.

    Example: tenantry readme projects tasks

    What stands outside of the markers is left alone. With --check, ends with 1 when something is out of date.
    """
    from tenantry.cli.readme.command import readme as run

    run(Path(), modules or (), is_check=is_check)
