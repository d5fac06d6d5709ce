"""What a proof says: for people, for machines, and for the annex of a security questionnaire."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from tenantry.proof.verdicts import Finding, Kind


class Standing(StrEnum):
    """What is known of a route."""

    PROVED = "proved"
    FOUND = "found"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Line:
    """One route of the report."""

    route: str
    standing: Standing
    calls: int
    denied: int
    controls: int
    findings: int
    callers: list[str]
    reason: str | None = None


@dataclass(frozen=True)
class Report:
    """The result of a run."""

    application: str
    version: str
    at: datetime
    postgres: str
    seed: int
    only: str | None
    seconds: float
    callers: list[str]
    lines: list[Line]
    findings: list[Finding]
    counts: dict[tuple[Kind, str], int]
    calls: int
    guarded_rows: int

    @property
    def is_proved(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def as_json(self) -> str:
        """Return the report for machines."""
        told: dict[str, Any] = {
            "proved": self.is_proved,
            "application": self.application,
            "version": self.version,
            "at": self.at.isoformat(),
            "postgresql": self.postgres,
            "seed": self.seed,
            "only": self.only,
            "seconds": round(self.seconds, 1),
            "calls": self.calls,
            "callers": self.callers,
            "routes": [asdict(line) for line in self.lines],
            "findings": [asdict(one) | {"way_out": one.way_out} for one in self.findings],
        }
        return json.dumps(told, indent=2, default=str)

    def as_text(self) -> str:
        """Return the report for people: findings first."""
        return "\n".join(self._text())

    def as_markdown(self) -> str:
        """Return the report for others: what was called, how, and with what result."""
        return "\n".join(self._markdown())

    def _markdown(self) -> Iterator[str]:
        yield f"# Isolation of tenants: {self.application} {self.version}\n"
        yield f"{self.summary}\n"
        yield "| | |\n|---|---|"
        yield f"| Application | {self.application} {self.version} |"
        yield f"| Date | {self.at:%Y-%m-%d %H:%M} UTC |"
        yield f"| Database | PostgreSQL {self.postgres} |"
        yield f"| Callers | {', '.join(self.callers)} |"

    def _text(self) -> Iterator[str]:
        for one in self.findings:
            yield f"{one.route} {one.kind.value}"
            yield f"  {one.case}, as {one.caller}"
            yield f"  sent      {one.request}\n  expected  {one.expected}\n  got       {one.got}"
            yield f"  way out   {one.way_out}\n"
        width = max((len(line.route) for line in self.lines), default=0)
        for line in self.lines:
            state = line.standing.value if line.findings == 0 else f"{line.findings} FOUND"
            said = (
                f"{line.route:{width}}  {line.calls:5} calls {line.denied:5} denied {line.controls:2} allowed  {state}"
            )
            yield f"{said}  {line.reason}" if line.reason else said
        yield ""
        yield self.summary

    @property
    def summary(self) -> str:
        """The result in one paragraph."""
        result = "Isolation is proved" if self.is_proved else f"{sum(self.counts.values())} findings"
        return (
            f"{result}: {len(self.lines)} routes, {self.calls} calls, {sum(one.denied for one in self.lines)} denied, "
            f"{sum(one.controls for one in self.lines)} allowed controls, {len(self.callers)} callers, "
            f"{self.seconds:.0f} s, seed {self.seed}."
        )
