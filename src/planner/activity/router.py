"""HTTP to service."""

from __future__ import annotations

from fastapi import Request, Response

from planner.activity.repository import SPECS
from planner.activity.schemas import ActivityPage
from planner.activity.service import read_activity
from tenantry.access import Access, require_permission
from tenantry.database import Plane
from tenantry.http import api_router
from tenantry.query import openapi_parameters, page_body, parse_list
from tenantry.resources import ResourceEdge

_SPEC = SPECS[Plane.TENANT]

router = api_router("/activity", tags=["activity"])


@router.get(
    "",
    operation_id="activity_list",
    summary="List who did what, newest first",
    response_model=ActivityPage,
    dependencies=[require_permission("activity:read")],
    openapi_extra={"parameters": openapi_parameters(_SPEC)},
)
async def list_activity(request: Request, access: Access) -> Response:
    """Merge the trails of both planes."""
    edge = ResourceEdge.of(request.scope)
    binding = f"{access.principal.tenant.id}:{access.principal.user_id}:activity"
    query_string = request.scope["query_string"]
    asked = parse_list(query_string, _SPEC, signer=edge.cursors, binding=binding, sizes=edge.page_sizes)
    lines = await read_activity(access, asked)
    cursor = None
    if lines.has_more and lines.last is not None:
        cursor = edge.cursors.next_cursor(asked, lines.last, spec=_SPEC, binding=binding)
    body = page_body(lines.json, has_more=lines.has_more, next_cursor=cursor, total=lines.total)
    return Response(body, media_type="application/json")
