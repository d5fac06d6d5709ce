"""Invitations over HTTP: those of the current tenant, and accepting one."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from tenantry.http import api_router, fails_with
from tenantry.identity import CurrentIdentity, signed_in
from tenantry.resources import Operation, ResourceRouter, request_id_of
from tenantry.standard.dependencies import standard_service
from tenantry.standard.invitations.accepting import Invitations
from tenantry.standard.invitations.schemas import InvitationAccept, InvitationCreate, JoinedTenant
from tenantry.standard.invitations.service import InvitationService

invitations = ResourceRouter(
    InvitationService,
    "/invitations",
    create=InvitationCreate,
    operations={Operation.LIST, Operation.CREATE, Operation.DELETE},
    filters={"role", "expires_at"},
    sort={"created_at", "expires_at"},
    search={"email"},
    id_in_path="invitation_id",
)
accepting = api_router("/invitations", tags=["invitations"])


@accepting.post(
    "/accept", operation_id="invitations_accept", responses=fails_with(400), dependencies=[Depends(signed_in)]
)
async def accept(
    request: Request,
    payload: InvitationAccept,
    service: Annotated[Invitations, standard_service("invitations")],
    identity: CurrentIdentity,
) -> JoinedTenant:
    """Join a tenant with the token of the mail."""
    token = payload.token.get_secret_value()
    joined = await service.accept(identity.user_id, token, request_id=request_id_of(request))
    tenant = joined.tenant
    return JoinedTenant(id=tenant.id, slug=tenant.slug, name=tenant.name, role=joined.role)
