"""`prove isolation`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.cli.context import Json, load_application, run_async

if TYPE_CHECKING:
    from tenantry.proof import Report

proving = typer.Typer(help="Prove what the application promises.", no_args_is_help=True)


@proving.callback()
def _prove() -> None:
    """Keep `isolation` a command of its own: with one command and no callback, Typer would drop its name."""


@proving.command()
def isolation(
    only: Annotated[
        str | None, typer.Option(help="Only routes with this in their title, e.g. 'GET /api/v1/tasks'.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Write the report for others here, as Markdown.")] = None,
    server: Annotated[
        str | None, typer.Option(help="URL of an administrator; the scratch database is made on that server.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the ids that name nothing.")] = 1,
    samples: Annotated[
        int, typer.Option(help="Pairs of calls that times are compared by; 0: none.", min=0, max=5000)
    ] = 60,
    as_json: Json = False,
) -> None:
    """Prove that no route lets one tenant into another, or show where one does.

    Two tenants full of canaries are made in a scratch database (an embedded server of its own, gone afterwards; your
    data is not touched). Then every route is called in every role for what is not the caller's, wherever it takes an
    id: path, query, body, header, cursor. Foreign, deleted and random ids must be answered alike, in the same time.
    Every refusal has its control, an allowed call of the same route. Ends with 1 when something was found.

    Example: tenantry prove isolation --output isolation.md
    """
    report = run_async(_isolation(only, server, seed, samples))
    print(report.as_json() if as_json else report.as_text())
    if output is not None:
        _write(output, report.as_markdown())
    raise typer.Exit(0 if report.is_proved else 1)


async def _isolation(only: str | None, server: str | None, seed: int, samples: int) -> Report:
    from tenantry.kernel import ConfigurationError

    try:
        from tenantry.proof import Plan, prove
    except ModuleNotFoundError as error:
        raise ConfigurationError(f"{error}. The proof needs the extra: pip install 'tenantry[testing]'.") from None
    plan = Plan(only=only, seed=seed, samples=samples, server_url=server)
    application = load_application()
    with _Progress() as progress:
        return await prove(application, plan, progress.say)


def _write(path: Path, text: str) -> None:
    from tenantry.kernel import ConfigurationError

    try:
        path.write_text(text + "\n")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}.") from None


class _Progress:
    """Says what is done: on a terminal in one line that changes, else a line for each step."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_terminal:
            print("\r\x1b[K", end="", file=sys.stderr)

    def say(self, step: str) -> None:
        """Show a step."""
        line = f"\r\x1b[K{step[:100]}" if self._is_terminal else f"{step}\n"
        print(line, end="", file=sys.stderr, flush=True)
