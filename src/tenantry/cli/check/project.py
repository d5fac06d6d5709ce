"""The code under check: its files and, where it could be imported, its application."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tenantry.cli.check.assembled import Assembled
from tenantry.cli.check.settings import Exemption, Sizes
from tenantry.cli.check.source import Source

_NEVER_READ = {"__pycache__", ".venv", "node_modules"}


@dataclass(frozen=True)
class CheckedProject:
    """A project below `root`: its packages (folders with ``__init__.py``) and, if it has one, its application.

    Rules about files need the packages alone; rules about routes, tables and permissions need `application` too.
    """

    root: Path
    packages: Sequence[Path]
    application: Assembled | None = None
    tests: Sequence[Path] = ()
    exemptions: Sequence[Exemption] = ()
    sizes: Sizes = field(default_factory=Sizes)
    map_file: str = "ARCHITECTURE.md"
    """The map of the code, which rule `map` compares with the tree; empty: there is none."""

    @cached_property
    def sources(self) -> tuple[Source, ...]:
        """The files of the packages that can be parsed, tests left out."""
        return tuple(one for one in self._files if one not in self.unparsed and not _is_test(one))

    @cached_property
    def test_sources(self) -> tuple[Source, ...]:
        """The tests that can be parsed: those in the test folders, and ``tests`` folders inside packages."""
        return tuple(one for one in self._files if one not in self.unparsed and _is_test(one))

    @cached_property
    def unparsed(self) -> dict[Source, SyntaxError]:
        """The files that are not Python, with the parser's reason."""
        found: dict[Source, SyntaxError] = {}
        for source in self._files:
            try:
                source.tree  # noqa: B018 - parsing is the point
            except SyntaxError as error:
                found[source] = error
        return found

    def meaning(self, source: Source, node: ast.expr) -> str | None:
        """Return what a name or attribute of a file stands for, through the files that pass it on; None: not known."""
        dotted = source.imported.dotted(node)
        seen: set[str] = set()
        while dotted is not None and dotted not in seen:
            seen.add(dotted)
            owner, _, name = dotted.rpartition(".")
            passing = self._modules.get(owner)
            further = passing.imported.dotted(ast.Name(name)) if passing else None
            if further is None:
                break
            dotted = further
        return dotted

    def name_of(self, path: Path) -> str:
        """Return a path relative to the root, with slashes."""
        return path.resolve().relative_to(self.root.resolve()).as_posix()

    def place_of(self, thing: Any) -> str | None:
        """Return ``file:line`` of a class or function; None where it does not belong to the project's packages."""
        try:
            file = inspect.getsourcefile(thing)
            line = inspect.getsourcelines(thing)[1]
        except (TypeError, OSError):
            return None
        if file is None or not self.holds(Path(file)):
            return None
        return f"{self.name_of(Path(file))}:{max(line, 1)}"

    def holds(self, path: Path) -> bool:
        """Tell whether a path lies in one of the packages."""
        return any(path.resolve().is_relative_to(package.resolve()) for package in self.packages)

    @cached_property
    def _modules(self) -> dict[str, Source]:
        return {source.module: source for source in self.sources}

    @cached_property
    def _files(self) -> tuple[Source, ...]:
        roots = [(folder, folder.parent) for folder in self.packages]
        roots += [(folder, folder.parent) for folder in self.tests]
        found: dict[str, Source] = {}
        for folder, above in roots:
            for path in sorted(folder.rglob("*.py")):
                if _NEVER_READ.isdisjoint(path.parts[len(self.root.parts) :]):
                    found.setdefault(self.name_of(path), Source(path, self.name_of(path), _module(path, above)))
        return tuple(found.values())


def _module(path: Path, above: Path) -> str:
    parts = path.relative_to(above).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _is_test(source: Source) -> bool:
    return "tests" in source.name.split("/")[:-1]
