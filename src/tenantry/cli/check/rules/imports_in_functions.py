"""Imports stand at the top of a file.

An import inside a function is how a circle between packages is hidden: litestar-fullstack looks free of circles, and
has one of 20 modules once such imports are counted. It also moves the failure of a missing dependency from the start
to the first request that takes that path.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tenantry.cli.check.finding import Finding
from tenantry.cli.check.project import CheckedProject
from tenantry.cli.check.source import own_nodes

NAME = "import-in-function"

_LAZY = "cli"
"""A command imports what it needs when it runs, so that ``--help`` answers at once."""


def check(project: CheckedProject) -> Iterator[Finding]:
    """Yield the imports inside functions, outside folders named `cli`."""
    for source in project.sources:
        if _LAZY not in source.name.split("/")[:-1]:
            for function in source.functions:
                for node in own_nodes(function):
                    if isinstance(node, ast.Import | ast.ImportFrom):
                        yield Finding(
                            NAME,
                            source.place(node),
                            f"{function.name}() imports when it is called, which hides a circle or a missing package",
                            "import at the top; where that makes a circle, move what both need to a lower floor",
                        )
