"""From the folder of a project to the value that rules work on."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from tenantry.cli.check.project import CheckedProject
from tenantry.cli.check.settings import CheckSettings, read_settings
from tenantry.kernel import ConfigurationError


def read_project(root: Path, *, application: str | None = None) -> CheckedProject:
    """Return the project below `root`, with its application imported where one is named.

    `application` (``module:attribute``) wins over the one in pyproject.toml; an empty one leaves it out. Raises
    `ConfigurationError` for settings that are wrong and for an application that cannot be imported.
    """
    root = root.resolve()
    settings = read_settings(root)
    project = CheckedProject(
        root,
        _packages(root, settings),
        tests=[root / name for name in settings.tests if (root / name).is_dir()],
        exemptions=settings.exempt,
        sizes=settings.sizes,
        map_file=settings.map,
    )
    reference = settings.application if application is None else application
    if not reference:
        return project
    from tenantry.cli.check.loading import (
        load_application,
    )  # the rules about files must run where it cannot be imported

    return dataclasses.replace(project, application=load_application(reference, project))


def _packages(root: Path, settings: CheckSettings) -> list[Path]:
    if settings.packages:
        named = [root / name for name in settings.packages]
        if missing := [folder.name for folder in named if not folder.is_dir()]:
            raise ConfigurationError(f"[tool.tenantry.check] names packages that do not exist: {', '.join(missing)}.")
        return named
    above = root / "src" if (root / "src").is_dir() else root
    found = sorted(file.parent for file in above.glob("*/__init__.py") if file.parent.name != "tests")
    if not found:
        raise ConfigurationError(f"{root} has no Python package; name them in [tool.tenantry.check] packages.")
    return found
