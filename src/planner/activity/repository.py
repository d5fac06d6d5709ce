"""The lines of both trails, newest first, merged by time.

The trail of the tenant's rows lies with them, the trail of members and settings in the control plane: two databases
at worst, so the two are read apart and merged here.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import Select, func, literal_column, select, true

from planner.activity.schemas import ActivityEntry
from planner.records import RECORDS
from tenantry.access import Principal, Reads, about_readable
from tenantry.audit import AuditEntry, ControlAuditEntry
from tenantry.database import Plane, Row, Statement, UnitOfWork
from tenantry.query import ListShape, ListSpec, apply_list, count_of

_TRAILS = {Plane.TENANT: AuditEntry.__table__, Plane.CONTROL: ControlAuditEntry.__table__}

SPECS = {
    plane: ListSpec(
        dict(trail.columns),
        fields=tuple(ActivityEntry.model_fields),
        filters={"actor_id", "action", "resource_type", "resource_id", "at"},
        sorts={"at"},
        default_sort="-at",
    )
    for plane, trail in _TRAILS.items()
}
"""The two lists have one declaration, so that one request fits both."""


def reads_of(principal: Principal) -> Reads:
    """Return what a principal reads of each resource that lines of the trail are about."""
    return tuple((access, access.read_permits(principal)) for access in RECORDS)


def _lines(plane: Plane, reads: Reads) -> Select[*tuple[Any, ...]]:
    """The lines of one trail that the reader may read: in the tenant's, those about records that are not hidden."""
    trail = _TRAILS[plane]
    if plane is Plane.CONTROL:
        return select(trail)
    return select(trail).where(about_readable(trail.c.resource_type, trail.c.resource_id, reads))


@lru_cache(maxsize=256)
def lines_of(plane: Plane, shape: ListShape, reads: Reads) -> Statement:
    """A page of one trail: ``at, id, json``."""
    page = apply_list(_lines(plane, reads), shape, SPECS[plane]).subquery("page")
    names = [name for name in ActivityEntry.model_fields if shape.fields is None or name in shape.fields]
    body = select(*(page.c[name] for name in names)).correlate(page).lateral("body")
    row = func.row_to_json(literal_column("body")).label("json")
    return Statement(select(page.c.at, page.c.id, row).select_from(page.join(body, true())))


@lru_cache(maxsize=256)
def total_of(plane: Plane, shape: ListShape, reads: Reads) -> Statement:
    """The number of lines of one trail that a request selects."""
    return Statement(count_of(_lines(plane, reads), shape, SPECS[plane]))


async def read_lines(uow: UnitOfWork, shape: ListShape, values: dict[str, object], reads: Reads) -> list[Row]:
    """Return a page of the trail of the plane that `uow` works in."""
    return await uow.all(lines_of(uow.plane, shape, reads), **values)


async def count_lines(uow: UnitOfWork, shape: ListShape, values: dict[str, object], reads: Reads) -> int:
    """Return how many lines of the plane's trail a request selects."""
    total: int = await uow.value(total_of(uow.plane, shape, reads), **values)
    return total
