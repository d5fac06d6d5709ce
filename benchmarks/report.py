"""The figures of a run: medians, ratios to the floor, targets, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Target:
    """A route, and how much of the floor's CPU ours may take: the application's, and with PostgreSQL's."""

    name: str
    title: str
    application: float
    sum: float | None = None


GET = Target("get", "GET one", 2.6, 3.0)
LIST = Target("list", "GET list of 50, newest first", 1.15, 1.4)
POST = Target("post", "POST with audit and event", 2.6)
GRANTED = Target("granted", "GET list of 50 with grants in force", 1.5, 1.5)
PATCH = Target("patch", "PATCH with audit and event", 2.8)


@dataclass(frozen=True, slots=True)
class Measure:
    """One round of load on one server: microseconds of CPU for each request, and how it felt from outside."""

    requests_per_second: float
    application: float
    postgres: float
    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class Line:
    """What one server does on one route: the medians of its rounds."""

    route: str
    server: str
    rounds: int
    requests_per_second: float
    application_us: float
    postgres_us: float
    p50_ms: float
    p99_ms: float
    application_ratio: float = 1.0
    sum_ratio: float = 1.0
    application_target: float | None = None
    sum_target: float | None = None

    @property
    def is_met(self) -> bool | None:
        """Whether the targets are met; None where there are none."""
        if self.application_target is None:
            return None
        return self.application_ratio <= self.application_target and (
            self.sum_target is None or self.sum_ratio <= self.sum_target
        )

    def facts(self) -> dict[str, Any]:
        """Return the line for JSON."""
        return asdict(self) | {"met": self.is_met}


def floor_line(target: Target, server: str, rounds: Sequence[Measure]) -> Line:
    """Return the line that the others are compared with."""
    return Line(target.name, server, len(rounds), **_medians(rounds))


def compared_line(target: Target, server: str, rounds: Sequence[Measure], floor: Line, *, judged: bool) -> Line:
    """Return the line of another server; `judged` holds it against the targets."""
    medians = _medians(rounds)
    own = medians["application_us"] + medians["postgres_us"]
    return Line(
        target.name,
        server,
        len(rounds),
        **medians,
        application_ratio=medians["application_us"] / floor.application_us,
        sum_ratio=own / (floor.application_us + floor.postgres_us),
        application_target=target.application if judged else None,
        sum_target=target.sum if judged else None,
    )


def table(lines: Sequence[Line]) -> str:
    """Return the lines as a table of text."""
    rows = [_HEADER, *(_row(line) for line in lines)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(_HEADER))]
    texts = [
        "  ".join(
            cell.ljust(width) if at < 2 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    return "\n".join([texts[0], "  ".join("-" * width for width in widths), *texts[1:]])


_HEADER = (
    "route",
    "server",
    "req/s",
    "app µs",
    "pg µs",
    "p50 ms",
    "p99 ms",
    "app ratio",
    "target",
    "sum ratio",
    "target",
    "",
)


def _row(line: Line) -> tuple[str, ...]:
    return (
        line.route,
        line.server,
        f"{line.requests_per_second:.0f}",
        f"{line.application_us:.0f}",
        f"{line.postgres_us:.0f}",
        f"{line.p50_ms:.1f}",
        f"{line.p99_ms:.1f}",
        f"{line.application_ratio:.2f}",
        _limit(line.application_target),
        f"{line.sum_ratio:.2f}",
        _limit(line.sum_target),
        {None: "", True: "ok", False: "NOT MET"}[line.is_met],
    )


def _limit(target: float | None) -> str:
    return "" if target is None else f"≤ {target:g}"


def _medians(rounds: Sequence[Measure]) -> dict[str, float]:
    return {
        "requests_per_second": median(measure.requests_per_second for measure in rounds),
        "application_us": median(measure.application for measure in rounds),
        "postgres_us": median(measure.postgres for measure in rounds),
        "p50_ms": median(measure.p50 for measure in rounds),
        "p99_ms": median(measure.p99 for measure in rounds),
    }
