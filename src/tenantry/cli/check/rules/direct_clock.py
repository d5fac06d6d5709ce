"""One place reads the wall clock.

A test of an expiry that sleeps is slow and fails on a busy machine; one that patches `datetime` misses a module that
imported it under another name. Where time is asked of `runtime.clock`, a test holds it still. It also keeps naive
datetimes out: `utcnow()` compared with an aware one raises, and compared with a `timestamptz` is off by the zone.
(`time.monotonic` measures, it does not tell the time, and is free.)
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tenantry.cli.check.finding import Finding
from tenantry.cli.check.project import CheckedProject

NAME = "direct-clock"

_CLOCKS = {
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
    "time.time",
    "time.time_ns",
}


def check(project: CheckedProject) -> Iterator[Finding]:
    """Yield every mention of a wall clock, called or passed on (``default_factory=datetime.now``)."""
    for source in project.sources:
        for node in source.nodes:
            if isinstance(node, ast.Name | ast.Attribute) and source.imported.dotted(node) in _CLOCKS:
                yield Finding(
                    NAME,
                    source.place(node),
                    f"{source.imported.dotted(node)} is read here, which no test can hold still",
                    "take the time from runtime.clock.now(), or from the database's now() in a statement",
                )
