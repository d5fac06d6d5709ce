"""Findings as a person reads them, and as a machine does."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

from tenantry.cli.check.finding import Finding


def render(findings: Sequence[Finding], *, applied: int, left_out: Sequence[str] = ()) -> str:
    """Return the report for a person: rule, place, reason, way out.

    >>> finding = Finding("direct-clock", "src/shop/prices.py:3", "the wall clock is read", "ask the runtime's clock")
    >>> print(render([finding], applied=15))
    src/shop/prices.py:3  direct-clock
        reason   the wall clock is read
        way out  ask the runtime's clock
    <BLANKLINE>
    1 finding by 15 rules.
    """
    parts = [f"{one.place}  {one.rule}\n    reason   {one.reason}\n    way out  {one.way_out}\n" for one in findings]
    if left_out:
        parts.append(f"Left out, because no application is named: {', '.join(left_out)}.")
    count = f"{len(findings)} finding{'' if len(findings) == 1 else 's'}" if findings else "Nothing found"
    parts.append(f"{count} by {applied} rules.")
    return "\n".join(parts)


def render_json(findings: Sequence[Finding], *, applied: int, left_out: Sequence[str] = ()) -> str:
    """Return the report for a machine: ``{"findings": [{rule, place, reason, way_out}], "rules", "left_out"}``."""
    report = {
        "findings": [dataclasses.asdict(one) for one in findings],
        "rules": applied,
        "left_out": list(left_out),
    }
    return json.dumps(report, indent=2)
