"""Reading what the decision needs to know of one record: its lineage, and the grants on it and above it."""

from __future__ import annotations

from uuid import UUID

from tenantry.access import RecordFacts, ResourceAccess
from tenantry.database import Row, UnitOfWork
from tenantry.standard.explain.given import Given, GivenOnRecord
from tenantry.standard.explain.repository import GRANTS_ON, compared, lineage


async def read_record(uow: UnitOfWork, of: ResourceAccess, record_id: UUID) -> RecordFacts | None:
    """Return a record of the unit of work's tenant with those above it; soft-deleted ones too."""
    row = await uow.one(lineage(of), id=record_id)
    return None if row is None else _facts(of, row)


async def read_grants(uow: UnitOfWork, record: RecordFacts) -> GivenOnRecord:
    """Return the grants in force on a record and on those above it."""
    rows = await uow.all(GRANTS_ON, record_ids=list(record.lineage()))
    return GivenOnRecord(Given.of(row) for row in rows)


def _facts(of: ResourceAccess, row: Row, level: int = 0) -> RecordFacts:
    prefix = f"l{level}_"
    return RecordFacts(
        id=row[f"{prefix}id"],
        owner_id=row[f"{prefix}owner"],
        values={name: row[f"{prefix}v_{name}"] for name in compared(of)},
        parent=None if of.parent is None else _facts(of.parent.access, row, level + 1),
        is_deleted=row[f"{prefix}deleted"],
    )
