"""Grants in force, as explanations name them: on a record, or on a whole resource."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from tenantry.access import Effect, GrantFacts, SubjectType
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


class GivenOnRecord:
    """The grants on one record and on those above it, found by whom they are to: a record takes a thousand."""

    def __init__(self, given: Iterable[Given] = ()) -> None:
        self._by_id = {one.id: one for one in given}
        self._by_subject: dict[UUID, list[GrantFacts]] = {}
        for one in self._by_id.values():
            if one.record_id is not None:
                facts = GrantFacts(one.id, one.subject_id, one.action, one.effect, one.record_id)
                self._by_subject.setdefault(one.subject_id, []).append(facts)

    def to(self, subjects: Iterable[UUID]) -> list[GrantFacts]:
        """Return those to some subjects, as the decision takes them."""
        return [facts for subject in subjects for facts in self._by_subject.get(subject, ())]

    def named(self, grant_id: UUID) -> Given | None:
        """Return one of them."""
        return self._by_id.get(grant_id)
