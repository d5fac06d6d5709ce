"""`check`: the rules that a reader cannot see broken."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def check(
    root: Annotated[Path, typer.Argument(help="Folder with the pyproject.toml.")] = Path(),
    rule: Annotated[list[str] | None, typer.Option(help="Apply this rule alone; may be repeated.")] = None,
    application: Annotated[
        str | None, typer.Option(help="module:attribute; default: from pyproject.toml; '' for files only.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write the findings as JSON.")] = False,
    why: Annotated[str | None, typer.Option(metavar="RULE", help="Say why a rule exists, and check nothing.")] = None,
) -> None:
    """Check the code against the rules of the framework, without a database.

    Example: tenantry check --rule string-sql --json

    Ends with 0 when nothing is found, with 1 otherwise. Allow a line with `# allow: <rule> - <reason>`.
    """
    from tenantry.cli.check.command import check as run

    run(root, rule, application, as_json, why)
