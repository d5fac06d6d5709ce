"""Members over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, cast
from uuid import UUID

from fastapi import Depends, Request, Response

from tenantry.access import Access, member, require_permission
from tenantry.http import API_PREFIX, api_router
from tenantry.resources import list_answer, list_binding, parameters_of
from tenantry.standard.invitations.schemas import InvitationRead
from tenantry.standard.invitations.service import InvitationRecord
from tenantry.standard.members.repository import MEMBERS
from tenantry.standard.members.schemas import MemberAdd, MemberPage, MemberRead, RoleChange
from tenantry.standard.members.service import MemberRecord, Members

router = api_router("/members", tags=["members"])
_reader: Any = require_permission("members:read")
_manager: Any = require_permission("members:manage")
_listing = parameters_of(MEMBERS)


def member_service(request: Request) -> Members:
    """Return the service of the application."""
    return cast("Members", request.app.state.assembly.services.members)


Service = Annotated[Members, Depends(member_service)]


@router.get("", operation_id="members_list", response_model=MemberPage, dependencies=[_reader], openapi_extra=_listing)
async def list_members(request: Request, service: Service, access: Access) -> Response:
    """List the members."""
    return await list_answer(
        request, MEMBERS, list_binding(access, "members"), lambda asked: service.list(access, asked)
    )


@router.post(
    "",
    status_code=201,
    operation_id="members_create",
    dependencies=[_manager],
    responses={202: {"model": InvitationRead, "description": "An invitation was mailed instead."}},
)
async def add_member(
    payload: MemberAdd, response: Response, service: Service, access: Access
) -> MemberRead | InvitationRead:
    """Add a member, or mail an invitation to an address that nobody has verified."""
    added: MemberRecord | InvitationRecord
    if payload.user_id is not None:
        added = await service.add(access, payload.user_id, payload.role)
    else:
        added = await service.add_by_email(access, str(payload.email), payload.role)
    if isinstance(added, MemberRecord):
        response.headers["Location"] = f"{API_PREFIX}/members/{added.user_id}"
        return MemberRead.model_validate(added)
    response.status_code = 202
    return InvitationRead.model_validate(added)


@router.get("/{user_id}", operation_id="members_read", dependencies=[_reader])
async def read_member(user_id: UUID, service: Service, access: Access) -> MemberRead:
    """A member."""
    return MemberRead.model_validate(await service.read(access, user_id))


@router.patch("/{user_id}", operation_id="members_update", dependencies=[_manager])
async def change_role(user_id: UUID, payload: RoleChange, service: Service, access: Access) -> MemberRead:
    """Give a member another role."""
    return MemberRead.model_validate(await service.change_role(access, user_id, payload.role))


@router.delete("/{user_id}", status_code=204, operation_id="members_delete", dependencies=[member])
async def remove_member(user_id: UUID, service: Service, access: Access) -> None:
    """Remove a member. Everybody may leave; removing others needs the permission to manage members."""
    if user_id != access.principal.user_id:
        access.principal.require("members:manage")
    await service.remove(access, user_id)
