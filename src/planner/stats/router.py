"""HTTP to repository: there is no rule beyond who may see the counts."""

from __future__ import annotations

import json

from planner.stats.repository import read_counts
from planner.stats.schemas import Stats
from tenantry.access import Access, require_permission
from tenantry.database import Planning
from tenantry.http import api_router

router = api_router("/stats", tags=["stats"])


@router.get(
    "",
    operation_id="stats_read",
    summary="Count what is in the tenant",
    dependencies=[require_permission("stats:read")],
)
async def read_stats(access: Access) -> Stats:
    """Count what the caller sees, in one statement; the members are counted in the control plane."""
    async with access.work(planning=Planning.FRESH) as uow:
        counts = await read_counts(uow, access.principal)
    members = await access.runtime.members.count(access.principal.tenant.id)
    return Stats(
        projects=json.loads(counts["projects"] or "{}"),
        tasks=json.loads(counts["tasks"] or "{}"),
        open_tasks=counts["open_tasks"],
        items=counts["items"],
        comments=counts["comments"],
        members=members,
    )
