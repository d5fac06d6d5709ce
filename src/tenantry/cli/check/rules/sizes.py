"""Files and functions have a size at which they are split.

Services that are named after tables grow to 4,000 lines, and nobody reviews the change of line 2,731. The limits are
not the aim (150 lines a file, 15 a function): they are where growing ends. Split by behaviour (`closing.py`), never by
technical kind (`helpers.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tenantry.cli.check.finding import Finding
from tenantry.cli.check.project import CheckedProject
from tenantry.cli.check.source import FunctionNode, Source

NAME = "size-budget"


def check(project: CheckedProject) -> Iterator[Finding]:
    """Yield files and functions above their limit; migration steps, which are generated, have none."""
    written = [source for source in project.sources if not source.is_migration_step]
    yield from _long_files(written, project.sizes.file, "split it by behaviour")
    yield from _long_files(project.test_sources, project.sizes.test_file, "split it by property")
    for source in written:
        for function in source.functions:
            if (lines := _length(function)) > project.sizes.function:
                reason = f"{function.name}() has {lines} lines, the limit is {project.sizes.function}"
                yield Finding(NAME, source.place(function), reason, "name its steps, and make each a function")


def _long_files(sources: Iterable[Source], limit: int, way_out: str) -> Iterator[Finding]:
    for source in sources:
        if (lines := len(source.lines)) > limit:
            yield Finding(NAME, source.place(1), f"the file has {lines} lines, the limit is {limit}", way_out)


def _length(function: FunctionNode) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1
