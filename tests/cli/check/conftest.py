"""A tiny project on disk, with the faults that a test plants in it."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tenantry.cli.check import CheckedProject, Finding, read_project, run_checks

Plant = Callable[[Mapping[str, str]], CheckedProject]


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """Return a function that writes files below a root with the package `shop`, and returns the project."""

    def planted(files: Mapping[str, str]) -> CheckedProject:
        write(tmp_path, {"shop/__init__.py": "", "pyproject.toml": "", **files})
        return read_project(tmp_path)

    return planted


def write(root: Path, files: Mapping[str, str]) -> None:
    """Write files below a root, their common indentation taken away."""
    for name, content in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(content))


def places(project: CheckedProject, rule: str) -> list[str]:
    """Return the places where a rule finds something."""
    return [finding.place for finding in found(project, rule)]


def found(project: CheckedProject, rule: str) -> list[Finding]:
    """Return what a rule finds."""
    return run_checks(project, only=[rule])
