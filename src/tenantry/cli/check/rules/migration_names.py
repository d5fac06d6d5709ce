"""Migration steps are numbered, say when they may run, and form one line.

``pre`` runs while the previous release still serves, ``post`` only after it is gone. A step that says neither is run
when somebody thinks of it: a column that is dropped while old processes still select it fails every request until they
are replaced. Two steps with the same parent are two heads: which one a database has then depends on who deployed first.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from tenantry.cli.check.finding import Finding
from tenantry.cli.check.project import CheckedProject
from tenantry.cli.check.source import Source, text_of

NAME = "migration-names"

_FILE = re.compile(r"(?P<number>\d{4})_(?P<phase>pre|post)_[a-z0-9_]+\.py")
_PLANES = {"control", "shared", "tenant"}


def check(project: CheckedProject) -> Iterator[Finding]:
    """Yield steps with another name, with a revision that is not their number, and breaks of the line."""
    chains: dict[str, list[Source]] = defaultdict(list)
    for source in project.sources:
        folder = source.path.parent
        if folder.parent.name == "migrations" and folder.name in _PLANES and source.file_name != "__init__.py":
            chains[source.name.rpartition("/")[0]].append(source)
    for steps in chains.values():
        yield from _misnamed(steps)
        yield from _breaks(sorted(steps, key=lambda step: step.file_name))


def _misnamed(steps: Sequence[Source]) -> Iterator[Finding]:
    for step in steps:
        if _FILE.fullmatch(step.file_name) is None:
            reason = f"{step.file_name} does not say its number and whether it runs before or after the release"
            yield _finding(step, reason, "name it 0007_pre_add_project_key.py or 0007_post_drop_project_code.py")
        elif _constant(step, "revision") != step.file_name[:4]:
            reason = f"its revision is {_constant(step, 'revision')!r}, its file says {step.file_name[:4]!r}"
            yield _finding(step, reason, "make the revision the number of the file")


def _breaks(steps: Sequence[Source]) -> Iterator[Finding]:
    before: str | None = None
    for step in steps:
        below = _constant(step, "down_revision")
        if below != before:
            reason = f"it follows {below!r}, the step before it is {before!r}: the chain is not one line"
            yield _finding(step, reason, f"renumber it, with down_revision = {before!r}")
        before = _constant(step, "revision")


def _constant(step: Source, name: str) -> str | None:
    for node in step.tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=assigned)], value=value) if assigned == name:
                return text_of(value)
            case ast.AnnAssign(target=ast.Name(id=assigned), value=value) if assigned == name:
                return text_of(value)
    return None


def _finding(step: Source, reason: str, way_out: str) -> Finding:
    return Finding(NAME, step.place(1), reason, way_out)
