"""What an explanation says: the answer, where it came from, and the sentence for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from tenantry.access import Effect, Line, SubjectType

STEPS = {
    Line.KEY_SCOPE: None,
    Line.ALLOW_ALWAYS: 3,
    Line.DENY_GRANT: 4,
    Line.ALLOW_GRANT: 5,
    Line.OWNERSHIP: 6,
    Line.ROLE: 7,
    Line.NOTHING: 8,
}
"""The numbers of the lines in the decision order; the scope of a key stands before them."""

SIGNED_IN = 1
"""The number of "the actor is authenticated": where a deactivated person and an expired key end."""


class Scope(StrEnum):
    """What a grant is on, seen from the record that was asked about."""

    RECORD = "record"
    ABOVE = "above"
    TYPE = "type"


@dataclass(frozen=True, slots=True)
class ShownGrant:
    """A grant that made a line hold."""

    id: UUID
    subject_type: SubjectType
    subject_id: UUID
    subject_name: str
    action: str
    effect: Effect
    scope: Scope
    record_id: UUID | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class ShownLine:
    """One line of the order, and whether it holds; the first that does decides."""

    line: Line
    step: int | None
    holds: bool
    allows: bool
    grant: ShownGrant | None


@dataclass(frozen=True, slots=True)
class ShownDecision:
    """A decision, the line that made it, and the grant or the role behind that."""

    action: str
    resource_type: str | None
    resource_id: UUID | None
    is_deleted: bool
    allowed: bool
    decided_by: Line
    step: int | None
    grant: ShownGrant | None
    role: str | None


@dataclass(frozen=True, slots=True)
class Visibility:
    """Whether the record is visible, as a write needs it too, by reading it and each one above it."""

    allowed: bool
    decided_by: Line | None
    """The line that refused, else the one by which the record itself may be read; null where nothing is to be seen."""
    reads: Sequence[ShownDecision]


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is asked about."""

    subject_type: SubjectType
    id: UUID
    name: str
    api_key_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Whether somebody may do something, and why."""

    allowed: bool
    reason: str
    decided_by: Line
    step: int | None
    action: str
    resource_type: str | None
    resource_id: UUID | None
    is_deleted: bool
    subject: Subject
    grant: ShownGrant | None
    role: str | None
    lines: Sequence[ShownLine]
    visible: Visibility


@dataclass(frozen=True, slots=True)
class WhoCan:
    """Somebody who may do what was asked, and why."""

    subject_type: SubjectType
    subject_id: UUID
    name: str
    decided_by: Line
    reason: str
    role: str | None
    grant: ShownGrant | None


@dataclass(frozen=True, slots=True)
class WhoCanPage:
    """Some of those who may, by name."""

    subjects: Sequence[WhoCan]
    has_more: bool
    next_after: UUID | None
    """The last subject, where there are more behind it."""
