"""``[tool.tenantry.check]`` of pyproject.toml: what is checked, how big it may be, and where a rule does not apply."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from tenantry.kernel import ConfigurationError, SettingsGroup


class Sizes(SettingsGroup):
    """Lines that a thing may have."""

    file: int = Field(default=500, ge=1)
    """A file of a package."""
    function: int = Field(default=60, ge=1)
    """A function or method, from `def` to its last line."""
    test_file: int = Field(default=600, ge=1)
    """A file of tests."""
    map: int = Field(default=150, ge=1)
    """The map of the code."""


class Exemption(SettingsGroup):
    """A place where a rule does not apply as a whole; a single line is exempted by a comment instead."""

    rule: str = Field(min_length=1)
    path: str = Field(min_length=1)
    """File or pattern, relative to the root; ``*`` stands for any characters, slashes too."""
    reason: str = Field(min_length=10)
    """Why; a reader who doubts the exemption must be able to judge it."""


class CheckSettings(SettingsGroup):
    """The table as a whole; every value has a default."""

    packages: tuple[str, ...] = ()
    """Folders of the packages; empty: every folder with an ``__init__.py`` in ``src``, or else in the root."""
    tests: tuple[str, ...] = ("tests",)
    """Folders of the tests; those that do not exist are left out."""
    application: str | None = None
    """The application as ``module:attribute``; None: the rules that need it are left out, and named."""
    map: str = "ARCHITECTURE.md"
    """The map of the code; empty: there is none."""
    sizes: Sizes = Field(default_factory=Sizes)
    exempt: tuple[Exemption, ...] = ()


def read_settings(root: Path) -> CheckSettings:
    """Read the table of ``pyproject.toml`` in `root`. Raises `ConfigurationError` with every problem of it."""
    file = root / "pyproject.toml"
    if not file.is_file():
        return CheckSettings()
    try:
        content: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{file.name} cannot be read: {error}") from error
    table = content.get("tool", {}).get("tenantry", {}).get("check", {})
    try:
        return CheckSettings.model_validate(table)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
        raise ConfigurationError("[tool.tenantry.check] of pyproject.toml: " + "; ".join(problems)) from error
