"""What ``tenantry readme`` does; its options are declared with the other commands."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import typer

from tenantry.app import Application
from tenantry.cli.check.configuration import read_project
from tenantry.cli.context import load_application
from tenantry.cli.readme.generating import generated
from tenantry.cli.readme.sections import Readme
from tenantry.kernel import NotFound


@dataclass(frozen=True, slots=True)
class Written:
    """The readme of a module: where it is, what it says, and what it should say."""

    file: Path
    now: str
    wanted: str


def readme(root: Path, names: Collection[str], *, is_check: bool) -> None:
    """Write the generated parts, or name the files where they are out of date.

    Raises `typer.Exit` with 1 for files that are out of date, `NotFound` for a module that the project does not have.
    """
    found = list(readmes(load_application(), root, names))
    stale = [one for one in found if one.now != one.wanted]
    for one in stale:
        if not is_check:
            one.file.parent.mkdir(exist_ok=True)
            one.file.write_text(one.wanted, encoding="utf-8")
        typer.echo(f"{'out of date' if is_check else 'written'}: {one.file.relative_to(root.resolve())}")
    typer.echo(f"{len(found) - len(stale)} of {len(found)} readmes are up to date.")
    if is_check and stale:
        raise typer.Exit(1)


def readmes(application: Application, root: Path, names: Collection[str]) -> Iterator[Written]:
    """Yield the readmes of the project's modules, or of those named; an installed package's are its own business."""
    project = read_project(root, application="")
    modules = {one.name: one for one in application.modules if one.folder and project.holds(one.folder)}
    for name in names:
        if name not in modules:
            raise NotFound(f"This project has no module {name!r} with a folder; it has {', '.join(sorted(modules))}.")
    for name in names or modules:
        folder = modules[name].folder
        if folder is not None:
            yield _written(folder.resolve() / "docs" / "readme.md", name, generated(application, modules[name]))


def _written(file: Path, name: str, parts: Mapping[str, str]) -> Written:
    now = file.read_text(encoding="utf-8") if file.is_file() else ""
    return Written(file, now, (Readme(now) if now else Readme.of(name)).with_generated(parts).text)
