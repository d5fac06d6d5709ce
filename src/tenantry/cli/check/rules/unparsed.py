"""Every file can be parsed.

A file that the checker cannot read is a file without rules: a checker that skips it says "nothing found" about code
that nobody looked at. This happens with a newer syntax than the interpreter's, and with half a merge.
"""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.cli.check.finding import Finding
from tenantry.cli.check.project import CheckedProject

NAME = "unparsed-file"


def check(project: CheckedProject) -> Iterator[Finding]:
    """Yield the files that are not Python."""
    for source, error in project.unparsed.items():
        yield Finding(
            NAME,
            source.place(error.lineno or 1),
            f"not checked at all: {error.msg}",
            "correct the syntax, or run the check with the Python version that the file is written for",
        )
