"""Members over HTTP."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Response

from tenantry.access import Access, member, require_permission
from tenantry.database import Plane
from tenantry.http import API_PREFIX, CREATED, api_router, etag
from tenantry.resources import Expected, Operation, ResourceRouter
from tenantry.standard.dependencies import standard_service
from tenantry.standard.invitations.schemas import InvitationRead
from tenantry.standard.invitations.service import invite
from tenantry.standard.members.joining import Members
from tenantry.standard.members.schemas import MemberAdd, MemberRead, RoleChange
from tenantry.standard.members.service import MemberService

members = ResourceRouter(
    MemberService,
    "/members",
    update=RoleChange,
    operations={Operation.LIST, Operation.READ, Operation.UPDATE},
    filters={"role", "created_at"},
    sort={"name", "created_at"},
    default_sort="created_at",
    search={"name", "email"},
    id_in_path="user_id",
)
joining = api_router("/members", tags=["members"])
_manager: Any = require_permission("members:manage")


@joining.post(
    "",
    status_code=201,
    operation_id="members_create",
    dependencies=[_manager],
    response_model=MemberRead,
    responses={
        201: CREATED,
        202: {"model": InvitationRead, "description": "An invitation was mailed instead."},
    },
)
async def add_member(
    payload: MemberAdd, service: Annotated[Members, standard_service("members")], access: Access
) -> Response:
    """Add a member, or mail an invitation to an address that nobody has verified."""
    user_id = payload.user_id or await service.find(access, str(payload.email))
    if user_id is None:
        invitation = await invite(access, str(payload.email), payload.role)
        return Response(invitation.json, 202, media_type="application/json")
    added = await service.add(access, user_id, payload.role)
    headers = {"Location": f"{API_PREFIX}/members/{added.id}", "ETag": etag(added.version or 1)}
    return Response(added.json, 201, headers, media_type="application/json")


@joining.delete("/{user_id}", status_code=204, operation_id="members_delete", dependencies=[member])
async def remove_member(user_id: UUID, access: Access, expected: Expected) -> None:
    """Remove a member. Everybody may leave; removing others needs the permission to manage members."""
    async with access.work(Plane.CONTROL) as uow:
        await MemberService(uow, access.principal, access.runtime).delete(user_id, expected=expected)
