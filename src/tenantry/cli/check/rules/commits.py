"""One commit, made by the unit of work, and by nobody else.

A service that commits in the middle splits what belongs together: the row is kept and its audit line, event or job is
lost when the next statement fails. On the connection that the unit of work lends to a session it is worse: a rollback
there does nothing, and the flushed row is committed later (measured). A second commit behind a tenant's transaction
runs without the tenant's settings, so it sees no rows, or with a session-wide setting those of the tenant before it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tenantry.cli.check.finding import Finding
from tenantry.cli.check.project import CheckedProject
from tenantry.cli.check.source import Source, text_of

NAME = "commit-outside-unit-of-work"

_METHODS = {"commit", "rollback"}
_COMMAND = re.compile(r"(?:^|;)\s*(?:COMMIT|ROLLBACK)\b")


def check(project: CheckedProject) -> Iterator[Finding]:
    """Yield calls of `commit` and `rollback`, and texts that send one; migration steps own their transaction."""
    for source in project.sources:
        if not source.is_migration_step:
            yield from _calls(source)
            yield from _commands(source)


def _calls(source: Source) -> Iterator[Finding]:
    for call in source.calls():
        if isinstance(call.func, ast.Attribute) and call.func.attr in _METHODS:
            yield _finding(source, call, f".{call.func.attr}() decides here what the unit of work decides at its end")


def _commands(source: Source) -> Iterator[Finding]:
    spoken = {id(node.value) for node in source.nodes if isinstance(node, ast.Expr)}  # docstrings
    for node in source.nodes:
        text = text_of(node)
        if isinstance(node, ast.Constant) and text and id(node) not in spoken and _COMMAND.search(text):
            yield _finding(source, node, "a text with COMMIT or ROLLBACK ends a transaction behind the unit of work")


def _finding(source: Source, node: ast.expr, reason: str) -> Finding:
    way_out = (
        "leave the block of the unit of work to commit, raise an error to roll back; `session.begin_nested()` is the "
        "inner scope"
    )
    return Finding(NAME, source.place(node), reason, way_out)
