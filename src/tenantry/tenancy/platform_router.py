"""The platform administrator's routes. Every call is audited with its reason: `X-Reason`, else the route's name."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request, Response
from pydantic import WithJsonSchema

from tenantry.http import API_PREFIX, CREATED, VERSIONED, api_router
from tenantry.tenancy.answering import Expected, Service, list_answer, parameters_of, person, request_id_of, versioned
from tenantry.tenancy.platform import PlatformCall
from tenantry.tenancy.repository import ALL_TENANTS
from tenantry.tenancy.rules import SignedIn, TenancyRules
from tenantry.tenancy.schemas import PlatformStatsRead, PlatformTenantCreate, TenantPage, TenantRead, TenantUpdate

_PRINTABLE = r"^[^\x00-\x1f\x7f]*$"

Reason = Annotated[
    str | None,
    Header(
        alias="X-Reason", min_length=1, max_length=200, pattern=_PRINTABLE, description="Why; it is kept in the trail."
    ),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 200, "pattern": _PRINTABLE}),
]


def platform_router(rules: TenancyRules) -> APIRouter:
    """Return the platform's routes over tenants."""
    router = api_router("/platform", tags=["platform"])
    admin: Any = Depends(rules.platform_admin)

    async def platform_call(request: Request, identity: SignedIn = admin, reason: Reason = None) -> PlatformCall:
        named = reason or str(request.scope["route"].operation_id)
        return PlatformCall(person(identity), named, request_id_of(request))

    call: Any = Depends(platform_call)
    _add_overview(router, [admin], call)
    _add_tenant(router, [admin], call)
    return router


def _add_overview(router: APIRouter, by_admin: list[Any], call: Any) -> None:
    """Add what is about all tenants."""
    listing = parameters_of(ALL_TENANTS)

    @router.get(
        "/tenants",
        operation_id="platform_tenants_list",
        response_model=TenantPage,
        dependencies=by_admin,
        openapi_extra=listing,
    )
    async def list_tenants(request: Request, service: Service, by: PlatformCall = call) -> Response:
        """List all tenants."""
        binding = f"{by.actor.id}:platform tenants"
        return await list_answer(request, ALL_TENANTS, binding, lambda asked: service.platform.list(by, asked))

    @router.post(
        "/tenants",
        status_code=201,
        operation_id="platform_tenants_create",
        responses={201: CREATED},
        dependencies=by_admin,
    )
    async def create_tenant(
        payload: PlatformTenantCreate, response: Response, service: Service, by: PlatformCall = call
    ) -> TenantRead:
        """Found a tenant, also with a reserved slug or a schema of its own."""
        tenant = await service.platform.create(
            by, payload.name, payload.slug, owner_id=payload.owner_id, placement=payload.placement
        )
        response.headers["Location"] = f"{API_PREFIX}/platform/tenants/{tenant.id}"
        return versioned(tenant, response)

    @router.get("/stats", operation_id="platform_stats", dependencies=by_admin)
    async def read_stats(service: Service, by: PlatformCall = call) -> PlatformStatsRead:
        """How many tenants and people there are."""
        return PlatformStatsRead.model_validate(await service.platform.stats(by))


def _add_tenant(router: APIRouter, by_admin: list[Any], call: Any) -> None:
    """Add what is about one tenant."""

    @router.get(
        "/tenants/{tenant_id}", operation_id="platform_tenants_read", responses={200: VERSIONED}, dependencies=by_admin
    )
    async def read_tenant(tenant_id: UUID, response: Response, service: Service, by: PlatformCall = call) -> TenantRead:
        """A tenant."""
        return versioned(await service.platform.read(by, tenant_id), response)

    @router.patch(
        "/tenants/{tenant_id}",
        operation_id="platform_tenants_update",
        responses={200: VERSIONED},
        dependencies=by_admin,
    )
    async def update_tenant(
        tenant_id: UUID,
        payload: TenantUpdate,
        response: Response,
        service: Service,
        expected: Expected,
        by: PlatformCall = call,
    ) -> TenantRead:
        """Change a tenant's name, slug or settings."""
        changes = payload.model_dump(exclude_unset=True)
        return versioned(await service.platform.change(by, tenant_id, changes, expected_version=expected), response)

    @router.post(
        "/tenants/{tenant_id}/suspend",
        operation_id="platform_tenants_suspend",
        responses={200: VERSIONED},
        dependencies=by_admin,
    )
    async def suspend(tenant_id: UUID, response: Response, service: Service, by: PlatformCall = call) -> TenantRead:
        """Let nobody work in a tenant until it is resumed."""
        return versioned(await service.platform.suspend(by, tenant_id), response)

    @router.post(
        "/tenants/{tenant_id}/resume",
        operation_id="platform_tenants_resume",
        responses={200: VERSIONED},
        dependencies=by_admin,
    )
    async def resume(tenant_id: UUID, response: Response, service: Service, by: PlatformCall = call) -> TenantRead:
        """Open a suspended tenant again, or finish one whose preparation was interrupted."""
        return versioned(await service.platform.resume(by, tenant_id), response)
