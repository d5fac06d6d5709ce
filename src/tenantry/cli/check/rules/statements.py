"""Statements live in repositories, where each one starts from the visible set.

Which rows an actor may see is one predicate for each resource. A `select` that is written "just here", in a service or
a route, does not start from it, and a list shows what the single read refuses. In one place per module a reviewer can
compare every statement with the rule. Polar keeps such rules by a linter; the one of them without a check had been
broken eleven times.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tenantry.cli.check.finding import Finding
from tenantry.cli.check.project import Project
from tenantry.cli.check.source import Source

NAME = "statement-outside-repository"

_MAKERS = {"select", "insert", "update", "delete", "text"}
_PLACES = {
    "repository.py": "every statement of a module",
    "statements.py": "the statements of a repository that would be too long with them",
    "predicates.py": "the visible set itself",
}
_DEFINITIONS = {"models.py": "conditions of indexes and server defaults are written as text in a table's definition"}


def check(project: Project) -> Iterator[Finding]:
    """Yield the calls of SQLAlchemy's statement functions in other files; `text` is at home in `models.py` too."""
    for source in project.sources:
        if source.file_name not in _PLACES and not source.is_migration_step:
            yield from _made(source)


def _made(source: Source) -> Iterator[Finding]:
    for call in source.calls():
        maker = _maker(source, call.func)
        if maker is not None and not (maker == "text" and source.file_name in _DEFINITIONS):
            yield Finding(
                NAME,
                source.place(call),
                f"{maker}() makes a statement outside the files that are compared with the visible set",
                f"move it to the module's {' or '.join(list(_PLACES)[:2])}, and start it from the visible set",
            )


def _maker(source: Source, function: ast.expr) -> str | None:
    dotted = source.imported.dotted(function)
    if dotted is None or not dotted.startswith("sqlalchemy."):
        return None
    name = dotted.rpartition(".")[2]
    return name if name in _MAKERS else None
