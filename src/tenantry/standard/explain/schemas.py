"""What an explanation says: the answer, where it came from, and the sentence for people."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from tenantry.access import ORDER, Effect, Line, SubjectType
from tenantry.http import OutputSchema

SIGNED_IN = 1
"""The number of "the actor is authenticated": where a deactivated person and an expired key end."""

STEPS = {line: step for step, line in enumerate((*(line for line, _ in ORDER[1:]), Line.NOTHING), start=3)}
"""The numbers of the lines in the decision order; the scope of a key stands before them and has none."""


class Scope(StrEnum):
    """What a grant is on, seen from the record that was asked about."""

    RECORD = "record"
    ABOVE = "above"
    TYPE = "type"


class ExplainedGrant(OutputSchema):
    """The grant behind a decision."""

    id: UUID
    subject_type: SubjectType
    subject_id: UUID
    subject_name: str
    action: str
    effect: Effect
    scope: Scope
    """Whether it is on the record, on one above it, or on the whole resource."""
    record_id: UUID | None
    expires_at: datetime | None


class ExplainedLine(OutputSchema):
    """One line of the decision order. The first that holds decides."""

    line: Line
    step: int | None
    holds: bool
    allows: bool
    grant: ExplainedGrant | None


class ExplainedDecision(OutputSchema):
    """One decision: on reading the record, or one above it."""

    action: str
    resource_type: str | None
    resource_id: UUID | None
    is_deleted: bool
    allowed: bool
    decided_by: Line
    step: int | None
    grant: ExplainedGrant | None
    role: str | None


class ExplainedVisibility(OutputSchema):
    """Whether the record is visible: reading it, and each one above it."""

    allowed: bool
    decided_by: Line | None
    """The line that refused, else the one by which the record may be read; null where nothing has to be seen."""
    reads: list[ExplainedDecision]


class ExplainedSubject(OutputSchema):
    """Who was asked about."""

    subject_type: SubjectType
    id: UUID
    name: str
    api_key_id: UUID | None


class ExplanationRead(OutputSchema):
    """Whether somebody may do something, and why."""

    allowed: bool
    reason: str
    """One sentence for people."""
    decided_by: Line
    """The line of the order that decided: of the action, or of reading what has to be visible for it."""
    step: int | None
    """Its number in the order, 3 to 8; null for the scope of a key, 1 for who cannot sign in."""
    action: str
    resource_type: str | None
    resource_id: UUID | None
    is_deleted: bool
    subject: ExplainedSubject
    grant: ExplainedGrant | None
    role: str | None
    """The role that gave it."""
    lines: list[ExplainedLine]
    """Every line of the decision on the action itself, also those behind the one that decided."""
    visible: ExplainedVisibility


class WhoCanItem(OutputSchema):
    """Somebody who may do what was asked."""

    subject_type: SubjectType
    subject_id: UUID
    name: str
    decided_by: Line
    reason: str
    role: str | None
    grant: ExplainedGrant | None


class WhoCanRead(OutputSchema):
    """Who may do something: people and service accounts, by name."""

    subjects: list[WhoCanItem]
    has_more: bool
    next_after: UUID | None
    """Send it as `after` for those behind."""
