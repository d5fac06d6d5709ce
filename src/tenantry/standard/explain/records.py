"""What the decision needs to know of one record: those above it, and the grants on it and on them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from tenantry.access import GrantFacts, RecordFacts, ResourceAccess
from tenantry.database import UnitOfWork
from tenantry.standard.explain.repository import GRANTS_ON, record_facts


class GrantsInForce:
    """Grants on one record and on those above it, found by whom they are to: a record takes a thousand."""

    def __init__(self, grants: Iterable[GrantFacts] = ()) -> None:
        self._by_subject = defaultdict[UUID, list[GrantFacts]](list)
        for grant in grants:
            self._by_subject[grant.subject_id].append(grant)

    def to(self, subjects: Iterable[UUID]) -> list[GrantFacts]:
        """Return those to some subjects."""
        return [grant for subject in subjects for grant in self._by_subject.get(subject, ())]


async def read_record(uow: UnitOfWork, of: ResourceAccess, record_id: UUID) -> RecordFacts | None:
    """Return a record of the unit of work's tenant with those above it; soft-deleted ones too."""
    row = await uow.one(record_facts(of), id=record_id)
    if row is None:
        return None
    return RecordFacts(
        id=record_id,
        owner_id=None if of.owner is None else row[of.owner],
        values={name: row[name] for name in of.own_columns},
        parent=await read_record(uow, of.parent.access, row[of.parent.column]) if of.parent else None,
        is_deleted=row.get("deleted_at") is not None,
    )


async def read_grants(uow: UnitOfWork, record: RecordFacts) -> GrantsInForce:
    """Return the grants in force on a record and on those above it."""
    return GrantsInForce(GrantFacts.of(row) for row in await uow.all(GRANTS_ON, record_ids=list(record.lineage())))
