"""A grant in force, as explanations name it: on a record, or on a whole resource."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from tenantry.access.models import Effect, SubjectType
from tenantry.database import Row


@dataclass(frozen=True, slots=True)
class Given:
    """A grant; without a record it is on the whole resource."""

    id: UUID
    subject_type: SubjectType
    subject_id: UUID
    action: str
    effect: Effect
    record_id: UUID | None
    expires_at: datetime | None

    @classmethod
    def of(cls, row: Row) -> Self:
        """Return the grant in a row of either table of grants."""
        return cls(
            row["id"],
            SubjectType(row["subject_type"]),
            row["subject_id"],
            row["action"],
            Effect(row["effect"]),
            row.get("record_id"),
            row["expires_at"],
        )
