"""Tenancy over HTTP: tenants, members, invitations. One expression from the request to the service."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from tenantry.http import API_PREFIX, CREATED, VERSIONED, api_router, fails_with
from tenantry.tenancy.answering import (
    Expected,
    Service,
    acting,
    list_answer,
    list_binding,
    parameters_of,
    person,
    request_id_of,
    versioned,
)
from tenantry.tenancy.invitations import InvitationRecord
from tenantry.tenancy.members import MemberRecord
from tenantry.tenancy.platform_router import platform_router
from tenantry.tenancy.repository import INVITATIONS, MEMBERS, OWN_TENANTS
from tenantry.tenancy.rules import SignedIn, TenancyRules, TenantAccess
from tenantry.tenancy.schemas import (
    InvitationAccept,
    InvitationCreate,
    InvitationPage,
    InvitationRead,
    JoinedTenant,
    MemberAdd,
    MemberPage,
    MemberRead,
    OwnTenantPage,
    RoleChange,
    TenantCreate,
    TenantRead,
    TenantUpdate,
)
from tenantry.tenancy.tenants import Founding


def tenancy_routers(rules: TenancyRules) -> tuple[APIRouter, ...]:
    """Return every router of tenancy, under the rules that the assembly supplies."""
    return (
        own_tenants_router(rules),
        tenant_router(rules),
        members_router(rules),
        invitations_router(rules),
        platform_router(rules),
    )


def own_tenants_router(rules: TenancyRules) -> APIRouter:
    """Return the routes of people about their tenants: found one, list them."""
    router = api_router(tags=["tenants"])
    signed_in: Any = Depends(rules.signed_in)
    listing = parameters_of(OWN_TENANTS)

    @router.post(
        "/tenants", status_code=201, operation_id="tenants_create", responses={201: CREATED}, dependencies=[signed_in]
    )
    async def create_tenant(
        request: Request, response: Response, payload: TenantCreate, service: Service, identity: SignedIn = signed_in
    ) -> TenantRead:
        """Found a tenant; the caller becomes its owner."""
        tenant = await service.tenants.create(
            Founding(payload.name, payload.slug, identity.user_id, person(identity), request_id_of(request))
        )
        response.headers["Location"] = f"{API_PREFIX}/tenant"
        return versioned(tenant, response)

    async def list_own(request: Request, service: Service, identity: SignedIn = signed_in) -> Response:
        """List the tenants that the caller belongs to, with the role in each."""
        return await list_answer(
            request,
            OWN_TENANTS,
            f"{identity.user_id}:tenants",
            lambda asked: service.tenants.own(identity.user_id, person(identity), asked),
        )

    for path, operation in (("/tenants", "tenants_list"), ("/me/tenants", "me_tenants_list")):
        router.get(
            path,
            operation_id=operation,
            response_model=OwnTenantPage,
            dependencies=[signed_in],
            openapi_extra=listing,
        )(list_own)
    return router


def tenant_router(rules: TenancyRules) -> APIRouter:
    """Return the routes of the current tenant."""
    router = api_router("/tenant", tags=["tenant"])
    member: Any = Depends(rules.member)
    updater: Any = Depends(rules.may_update_tenant)

    @router.get("", operation_id="tenant_read", responses={200: VERSIONED}, dependencies=[member])
    async def read_tenant(response: Response, service: Service, access: TenantAccess = member) -> TenantRead:
        """The current tenant."""
        return versioned(await service.tenants.read(acting(access)), response)

    @router.patch("", operation_id="tenant_update", responses={200: VERSIONED}, dependencies=[updater])
    async def update_tenant(
        payload: TenantUpdate,
        response: Response,
        service: Service,
        expected: Expected,
        access: TenantAccess = updater,
    ) -> TenantRead:
        """Change the current tenant's name, slug or settings."""
        changes = payload.model_dump(exclude_unset=True)
        return versioned(await service.tenants.change(acting(access), changes, expected_version=expected), response)

    return router


def members_router(rules: TenancyRules) -> APIRouter:
    """Return the routes of the current tenant's members."""
    router = api_router("/members", tags=["members"])
    reader: Any = Depends(rules.may_read_members)
    manager: Any = Depends(rules.may_manage_members)
    member: Any = Depends(rules.member)
    listing = parameters_of(MEMBERS)

    @router.get(
        "", operation_id="members_list", response_model=MemberPage, dependencies=[reader], openapi_extra=listing
    )
    async def list_members(request: Request, service: Service, access: TenantAccess = reader) -> Response:
        """List the members."""
        return await list_answer(
            request, MEMBERS, list_binding(access, "members"), lambda asked: service.members.list(acting(access), asked)
        )

    @router.post(
        "",
        status_code=201,
        operation_id="members_create",
        dependencies=[manager],
        responses={202: {"model": InvitationRead, "description": "An invitation was mailed instead."}},
    )
    async def add_member(
        payload: MemberAdd, response: Response, service: Service, access: TenantAccess = manager
    ) -> MemberRead | InvitationRead:
        """Add a member, or mail an invitation to an address that nobody has verified."""
        added: MemberRecord | InvitationRecord
        if payload.user_id is not None:
            added = await service.members.add(acting(access), payload.user_id, payload.role)
        else:
            added = await service.members.add_by_email(acting(access), str(payload.email), payload.role)
        if isinstance(added, MemberRecord):
            response.headers["Location"] = f"{API_PREFIX}/members/{added.user_id}"
            return MemberRead.model_validate(added)
        response.status_code = 202
        return InvitationRead.model_validate(added)

    @router.get("/{user_id}", operation_id="members_read", dependencies=[reader])
    async def read_member(user_id: UUID, service: Service, access: TenantAccess = reader) -> MemberRead:
        """A member."""
        return MemberRead.model_validate(await service.members.read(acting(access), user_id))

    @router.patch("/{user_id}", operation_id="members_update", dependencies=[manager])
    async def change_role(
        user_id: UUID, payload: RoleChange, service: Service, access: TenantAccess = manager
    ) -> MemberRead:
        """Give a member another role."""
        return MemberRead.model_validate(await service.members.change_role(acting(access), user_id, payload.role))

    @router.delete("/{user_id}", status_code=204, operation_id="members_delete", dependencies=[member])
    async def remove_member(request: Request, user_id: UUID, service: Service, access: TenantAccess = member) -> None:
        """Remove a member. Everybody may leave; removing others needs the permission to manage members."""
        if user_id != access.principal.user_id:
            await rules.may_manage_members(request)
        await service.members.remove(acting(access), user_id)

    return router


def invitations_router(rules: TenancyRules) -> APIRouter:
    """Return the routes of invitations: those of the current tenant, and accepting one."""
    router = api_router("/invitations", tags=["invitations"])
    manager: Any = Depends(rules.may_manage_members)
    signed_in: Any = Depends(rules.signed_in)
    listing = parameters_of(INVITATIONS)

    @router.get(
        "",
        operation_id="invitations_list",
        response_model=InvitationPage,
        dependencies=[manager],
        openapi_extra=listing,
    )
    async def list_invitations(request: Request, service: Service, access: TenantAccess = manager) -> Response:
        """List the open invitations."""
        return await list_answer(
            request,
            INVITATIONS,
            list_binding(access, "invitations"),
            lambda asked: service.invitations.list(acting(access), asked),
        )

    @router.post("", status_code=201, operation_id="invitations_create", dependencies=[manager])
    async def invite(payload: InvitationCreate, service: Service, access: TenantAccess = manager) -> InvitationRead:
        """Mail an invitation."""
        return InvitationRead.model_validate(
            await service.invitations.invite(acting(access), payload.email, payload.role)
        )

    @router.post("/accept", operation_id="invitations_accept", responses=fails_with(400), dependencies=[signed_in])
    async def accept(
        request: Request, payload: InvitationAccept, service: Service, identity: SignedIn = signed_in
    ) -> JoinedTenant:
        """Join a tenant with the token of the mail."""
        token = payload.token.get_secret_value()
        joined = await service.invitations.accept(identity.user_id, token, request_id=request_id_of(request))
        tenant = joined.tenant
        return JoinedTenant(id=tenant.id, slug=tenant.slug, name=tenant.name, role=joined.role)

    @router.delete("/{invitation_id}", status_code=204, operation_id="invitations_delete", dependencies=[manager])
    async def revoke(invitation_id: UUID, service: Service, access: TenantAccess = manager) -> None:
        """Take an invitation back."""
        await service.invitations.revoke(acting(access), invitation_id)

    return router
