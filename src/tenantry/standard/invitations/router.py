"""Invitations over HTTP: those of the current tenant, and accepting one."""

from __future__ import annotations

from typing import Annotated, Any, cast
from uuid import UUID

from fastapi import Depends, Request, Response

from tenantry.access import Access, require_permission
from tenantry.http import api_router, fails_with
from tenantry.identity import CurrentIdentity, signed_in
from tenantry.resources import list_answer, list_binding, parameters_of, request_id_of
from tenantry.standard.invitations.repository import INVITATIONS
from tenantry.standard.invitations.schemas import (
    InvitationAccept,
    InvitationCreate,
    InvitationPage,
    InvitationRead,
    JoinedTenant,
)
from tenantry.standard.invitations.service import Invitations

router = api_router("/invitations", tags=["invitations"])
_manager: Any = require_permission("members:manage")
_listing = parameters_of(INVITATIONS)


def invitation_service(request: Request) -> Invitations:
    """Return the service of the application."""
    return cast("Invitations", request.app.state.assembly.services.invitations)


Service = Annotated[Invitations, Depends(invitation_service)]


@router.get(
    "",
    operation_id="invitations_list",
    response_model=InvitationPage,
    dependencies=[_manager],
    openapi_extra=_listing,
)
async def list_invitations(request: Request, service: Service, access: Access) -> Response:
    """List the open invitations."""
    return await list_answer(
        request,
        INVITATIONS,
        list_binding(access, "invitations"),
        lambda asked: service.list(access, asked),
    )


@router.post("", status_code=201, operation_id="invitations_create", dependencies=[_manager])
async def invite(payload: InvitationCreate, service: Service, access: Access) -> InvitationRead:
    """Mail an invitation."""
    return InvitationRead.model_validate(await service.invite(access, payload.email, payload.role))


@router.post("/accept", operation_id="invitations_accept", responses=fails_with(400), dependencies=[Depends(signed_in)])
async def accept(
    request: Request, payload: InvitationAccept, service: Service, identity: CurrentIdentity
) -> JoinedTenant:
    """Join a tenant with the token of the mail."""
    token = payload.token.get_secret_value()
    joined = await service.accept(identity.user_id, token, request_id=request_id_of(request))
    tenant = joined.tenant
    return JoinedTenant(id=tenant.id, slug=tenant.slug, name=tenant.name, role=joined.role)


@router.delete("/{invitation_id}", status_code=204, operation_id="invitations_delete", dependencies=[_manager])
async def revoke(invitation_id: UUID, service: Service, access: Access) -> None:
    """Take an invitation back."""
    await service.revoke(access, invitation_id)
