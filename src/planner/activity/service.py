"""Reading the trails of a tenant as one list."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from planner.activity.repository import count_lines, read_lines, reads_of
from tenantry.access import SUBJECTS, AccessContext
from tenantry.database import Plane, Planning, Row
from tenantry.query import ListRequest, Paging


@dataclass(frozen=True, slots=True)
class Lines:
    """A page of the merged trail; `last` are the sort keys of its last line."""

    json: str
    has_more: bool
    last: tuple[datetime, UUID] | None
    total: int | None


async def read_activity(access: AccessContext, request: ListRequest) -> Lines:
    """Return one page of what happened in the tenant.

    Each trail gives as many lines as the page could need, so a page that starts at row n reads n rows of each: deep
    pages are for cursors.
    """
    skipped = int(str(request.params.get("offset", 0)))
    shape = replace(request.shape, paging=Paging.NONE) if skipped else request.shape
    reads = reads_of(access.principal)
    subjects = {SUBJECTS: access.principal.subjects}
    values = {**request.params, **subjects, "limit": skipped + request.limit}
    found: list[Row] = []
    total = 0
    scopes = (access.work(planning=Planning.FRESH), access.work(Plane.CONTROL))
    for scope in scopes:
        async with scope as uow:
            found += await read_lines(uow, shape, values, reads)
            if shape.with_total:
                total += await count_lines(uow, shape, values, reads)
    newest_first = request.shape.sort[0][1]
    found.sort(key=lambda row: (row["at"], row["id"]), reverse=newest_first)
    page = found[skipped : skipped + request.limit]
    return Lines(
        json=f"[{','.join(row['json'] for row in page)}]",
        has_more=len(found) > skipped + request.limit,
        last=(page[-1]["at"], page[-1]["id"]) if page else None,
        total=total if shape.with_total else None,
    )
