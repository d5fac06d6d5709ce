"""`GrantFacts`: a grant as decisions know it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from tenantry.access.models import Effect
from tenantry.database import Row


@dataclass(frozen=True, slots=True)
class GrantFacts:
    """A grant on one record, or without a record on a whole resource."""

    id: UUID
    subject_id: UUID
    action: str
    effect: Effect
    record_id: UUID | None = None
    expires_at: datetime | None = None

    @classmethod
    def of(cls, row: Row) -> Self:
        """Return the grant in a row of either table of grants."""
        effect, expires_at = Effect(row["effect"]), row["expires_at"]
        return cls(row["id"], row["subject_id"], row["action"], effect, row.get("record_id"), expires_at)

    def is_in_force(self, now: datetime) -> bool:
        """Tell whether it has not expired."""
        return self.expires_at is None or self.expires_at > now
