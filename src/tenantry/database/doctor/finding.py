"""A finding: which rule is broken, where, why that matters, and the way out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much it matters."""

    ERROR = "error"
    """A serving process refuses to start, or rows could reach the wrong tenant."""
    WARNING = "warning"
    """It works, but costs speed or will be in the way later."""


@dataclass(frozen=True, slots=True)
class DatabaseFinding:
    """One broken rule. `way_out` is SQL where SQL mends it, else a sentence.

    >>> print(DatabaseFinding("roles", Severity.ERROR, "role tenantry_app", "it is a superuser", "ALTER ROLE …"))
    error roles: role tenantry_app: it is a superuser → ALTER ROLE …
    """

    rule: str
    severity: Severity
    place: str
    reason: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.severity} {self.rule}: {self.place}: {self.reason} → {self.way_out}"


def error(rule: str, place: str, reason: str, way_out: str) -> DatabaseFinding:
    """Return a finding that must be mended."""
    return DatabaseFinding(rule, Severity.ERROR, place, reason, way_out)


def warning(rule: str, place: str, reason: str, way_out: str) -> DatabaseFinding:
    """Return a finding that should be mended."""
    return DatabaseFinding(rule, Severity.WARNING, place, reason, way_out)
