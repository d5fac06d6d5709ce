"""What a proof says: for people, for machines, and for the annex of a security questionnaire."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from tenantry.proof.judging import Statuses
from tenantry.proof.timing import BAND, CERTAIN
from tenantry.proof.verdicts import IsolationFinding

METHOD = """\
Two tenants were made in an empty database of the application's own migrations and filled, through the application's
own routes, with records whose every text carries a mark of its tenant: live records, records of other members,
soft-deleted records, and records beneath soft-deleted ones. Then every route of the API document was called in the
production application, with real tokens, by the members, keys and outsiders named above, for what is not theirs: ids
of the other tenant (live and deleted) in each place of the path, in the query string, in the body, in lists of ids; the
other tenant itself by header, query string and body; cursors and ETags of the other tenant; malformed ids. Callers
who were given or denied single records were called within their own tenant.

Each such call has a twin that names something that exists nowhere. The two answers must be the same: status, body and
headers, after the ids they repeat and the request id were taken out; and (for routes that read) the same time, by a
rank test. No answer may show a mark, an id, an address or a token of the other tenant, no log line a mark or a token of
either, and no access line of one's own people another tenant than their own. Before and after each route the other
tenant's rows in every table were digested by the administrator of the database, past row security; they must be the
same.

Within a tenant, what a caller can list, count, walk page by page, search, filter and sort must be what the caller can
read one by one. Each route needs allowed controls, calls that succeed: a route that refuses everybody proves nothing,
and counts as a finding."""


class RouteStanding(StrEnum):
    """What is known of a route."""

    PROVED = "proved"
    FOUND = "found"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class RouteResult:
    """One route of the report."""

    route: str
    standing: RouteStanding
    calls: int
    denied: int
    controls: int
    findings: int
    callers: list[str]
    reason: str | None = None

    @property
    def result(self) -> str:
        """The standing, with the number of findings."""
        return f"{self.findings} FOUND" if self.findings else self.standing.value


@dataclass(frozen=True, slots=True)
class Timing:
    """The comparison of times of one route."""

    route: str
    place: str
    pairs: int
    p: float
    ratio: float
    differs: bool


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
    routes: list[RouteResult]
    timings: list[Timing]
    places: Mapping[str, int]
    statuses: Mapping[str, Statuses]
    """What probes were answered, by route."""
    findings: list[IsolationFinding]
    found: int
    calls: int
    guarded_rows: int

    @property
    def is_proved(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    @property
    def denied(self) -> int:
        """How many calls were refused."""
        return sum(one.denied for one in self.routes)

    @property
    def controls(self) -> int:
        """How many calls of the same routes were allowed."""
        return sum(one.controls for one in self.routes)

    @property
    def summary(self) -> str:
        """The result in one sentence."""
        skipped = sum(one.standing is RouteStanding.SKIPPED for one in self.routes)
        part = f" (only routes with {self.only!r})" if self.only else ""
        result = "Isolation is proved" if self.is_proved else f"Isolation is not proved: {self.found} findings"
        return (
            f"{result}{part}: {len(self.routes) - skipped} routes ({skipped} more skipped), "
            f"{len(self.callers)} callers, {self.calls} calls, "
            f"{self.denied} denied, {self.controls} allowed controls, {self.seconds:.0f} s, seed {self.seed}."
        )

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
            "denied": self.denied,
            "controls": self.controls,
            "found": self.found,
            "callers": self.callers,
            "places": dict(self.places),
            "routes": [asdict(line) for line in self.routes],
            "timings": [asdict(one) for one in self.timings],
            "findings": [asdict(one) | {"way_out": one.way_out} for one in self.findings],
        }
        return json.dumps(told, indent=2)

    def as_text(self) -> str:
        """Return the report for people: findings first."""
        return "\n".join(self._text())

    def as_markdown(self) -> str:
        """Return the report for others: what was called, how, and with what result."""
        return "\n".join(self._markdown())

    def _text(self) -> Iterator[str]:
        for one in self.findings:
            yield f"{one.route} {one.kind.value}"
            yield f"  {one.case}, as {one.caller}"
            yield f"  sent      {one.request}\n  expected  {one.expected}\n  got       {one.got}"
            yield f"  way out   {one.way_out}\n"
        width = max((len(line.route) for line in self.routes), default=0)
        for line in self.routes:
            counts = f"{line.calls:5} calls {line.denied:5} denied {line.controls:4} allowed"
            yield f"{line.route:{width}} {counts}  {line.result}" + (f": {line.reason}" if line.reason else "")
        yield ""
        yield self._times()
        yield self.summary

    def _times(self) -> str:
        if not self.timings:
            return "Times were not compared."
        lowest, extreme = min(one.p for one in self.timings), max(self.timings, key=lambda one: abs(one.ratio - 1))
        return (
            f"Times: {len(self.timings)} routes compared, lowest p {lowest:.1e}, "
            f"median ratio farthest from 1 {extreme.ratio:.2f}; {sum(one.differs for one in self.timings)} differ."
        )

    def _markdown(self) -> Iterator[str]:
        yield f"# Isolation of tenants: {self.application} {self.version}\n"
        yield f"**{self.summary}**\n"
        yield "| | |\n|---|---|"
        yield f"| Application | {self.application} {self.version} |"
        yield f"| Date | {self.at:%Y-%m-%d %H:%M} UTC |"
        yield f"| Database | PostgreSQL {self.postgres} |"
        yield f"| Callers | {'; '.join(self.callers)} |"
        yield f"| Calls | {self.calls}, of them {self.denied} denied and {self.controls} allowed controls |"
        yield f"| Rows of the other tenant that were watched | {self.guarded_rows} |\n"
        yield f"## Method\n\n{METHOD}\n"
        yield "## What was tried where\n\n| place | probes |\n|---|---:|"
        yield from (f"| {place} | {number} |" for place, number in self.places.items())
        yield "\n## Routes\n\n| route | calls | denied | allowed | result |\n|---|---:|---:|---:|---|"
        for line in self.routes:
            result = f"{line.result}: {line.reason}" if line.reason else line.result
            yield f"| `{line.route}` | {line.calls} | {line.denied} | {line.controls} | {result} |"
        yield "\n## Times\n"
        yield f"{self._times()} A difference counts below p = {CERTAIN} and with a ratio outside {BAND[0]}-{BAND[1]}.\n"
        if self.timings:
            yield "| route | place | pairs | p | ratio of the medians |\n|---|---|---:|---:|---:|"
        for time in self.timings:
            yield f"| `{time.route}` | {time.place} | {time.pairs} | {time.p:.3g} | {time.ratio:.2f} |"
        yield "\n## Findings\n"
        if not self.findings:
            yield "None."
        for one in self.findings:
            yield f"- `{one.route}` {one.kind.value}: {one.case}, as {one.caller}. Sent `{one.request}`, expected "
            yield f"  {one.expected}, got `{one.got}`. {one.way_out}"
