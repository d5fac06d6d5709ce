"""Where requests are answered: the code of modules, as opposed to the packages that they stand on.

A module asks for rows through its repository. The packages below the modules have no repository each: the visible set,
the filter of a list and the line of the trail are what a repository is made of. Which of the two a file is, is read
from what its folder declares, so that no list of files has to be kept.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tenantry.cli.check.project import CheckedProject
from tenantry.cli.check.source import Source, last_name

_SERVING = {"service.py", "router.py", "schemas.py", "jobs.py", "subscribers.py", "workflow.py"}
"""Files that are a part of a module by their name, wherever they are."""
_ROUTERS = {"api_router", "APIRouter", "ResourceRouter"}


def domain_sources(project: CheckedProject) -> Iterator[Source]:
    """Yield the files of modules, of what stands beside modules, and of packages that are an application."""
    folders = _folders(project)
    for source in project.sources:
        if source.file_name in _SERVING or not folders.isdisjoint(source.path.parents):
            yield source


def declares_module(source: Source) -> bool:
    """Tell whether a file makes a `Module`, also where that is imported under another name."""
    return _makes(source, "Module")


def _folders(project: CheckedProject) -> set[Path]:
    found: set[Path] = set()
    for source in project.sources:
        folder = source.path.parent
        if declares_module(source):
            found |= {folder, *_around(project, folder)}
        elif source.file_name == "router.py" and _makes_router(source):
            found.add(folder)
        if _makes(source, "Application"):
            found |= {package for package in project.packages if source.path.is_relative_to(package)}
    return found


def _around(project: CheckedProject, folder: Path) -> Iterator[Path]:
    """Yield the folder that holds a module, unless it is a package as a whole: a framework's, with modules among it."""
    if folder not in project.packages and folder.parent not in project.packages:
        yield folder.parent


def _makes_router(source: Source) -> bool:
    """Tell whether a file calls what it has imported to make a router; the file of the class itself serves nothing."""
    called = (source.imported.dotted(call.func) or "" for call in source.calls())
    return any(dotted.rpartition(".")[2] in _ROUTERS for dotted in called)


def _makes(source: Source, name: str) -> bool:
    return any(_is_named(source, call.func, name) for call in source.calls())


def _is_named(source: Source, function: ast.expr, name: str) -> bool:
    dotted = source.imported.dotted(function)
    if dotted is None:
        return last_name(function) == name
    return dotted.startswith("tenantry.") and dotted.endswith(f".{name}")
