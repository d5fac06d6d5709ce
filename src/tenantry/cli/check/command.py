"""What ``tenantry check`` does; its options are declared with the other commands."""

from __future__ import annotations

from pathlib import Path

import typer

from tenantry.cli.check.configuration import read_project
from tenantry.cli.check.rendering import render, render_json
from tenantry.cli.check.running import RULES, explain, left_out, run_checks


def check(root: Path, rule: list[str] | None, application: str | None, as_json: bool, why: str | None) -> None:
    """Print the findings in `root`, or why a rule exists. Raises `typer.Exit` with 1 when something is found."""
    if why is not None:
        typer.echo(explain(why))
        return
    project = read_project(root, application=application)
    findings = run_checks(project, only=rule)
    skipped = [] if rule else left_out(project)
    applied = len(set(rule)) if rule else len(RULES) - len(skipped)
    typer.echo((render_json if as_json else render)(findings, applied=applied, left_out=skipped))
    if findings:
        raise typer.Exit(1)
