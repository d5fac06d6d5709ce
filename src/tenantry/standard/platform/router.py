"""The platform administrator's routes. Every call is audited with its reason: `X-Reason`, else the route's name."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Request, Response
from pydantic import WithJsonSchema

from tenantry.http import API_PREFIX, CREATED, VERSIONED, Slug, api_router
from tenantry.identity import PlatformAdmin, person, require_platform_admin
from tenantry.resources import Expected, PersonIdempotent, list_answer, parameters_of, request_id_of
from tenantry.standard.dependencies import standard_service
from tenantry.standard.platform.service import PlatformCall, PlatformTenants
from tenantry.standard.tenants.repository import ALL_SLUGS, ALL_TENANTS
from tenantry.standard.tenants.router import versioned
from tenantry.standard.tenants.schemas import (
    PlatformStatsRead,
    PlatformTenantCreate,
    SlugPage,
    TenantPage,
    TenantRead,
    TenantUpdate,
)

_PRINTABLE = r"^[^\x00-\x1f\x7f]*$"

Reason = Annotated[
    str | None,
    Header(
        alias="X-Reason", min_length=1, max_length=200, pattern=_PRINTABLE, description="Why; it is kept in the trail."
    ),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 200, "pattern": _PRINTABLE}),
]


router = api_router("/platform", tags=["platform"], dependencies=[Depends(require_platform_admin)])
_listing = parameters_of(ALL_TENANTS)


async def platform_call(request: Request, identity: PlatformAdmin, reason: Reason = None) -> PlatformCall:
    """Return who administers, and why."""
    named = reason or str(request.scope["route"].operation_id)
    return PlatformCall(person(identity), named, request_id_of(request))


Service = Annotated[PlatformTenants, standard_service("platform")]
Call = Annotated[PlatformCall, Depends(platform_call)]


@router.get(
    "/tenants",
    operation_id="platform_tenants_list",
    response_model=TenantPage,
    openapi_extra=_listing,
)
async def list_tenants(request: Request, service: Service, by: Call) -> Response:
    """List all tenants."""
    binding = f"{by.actor.id}:platform tenants"
    return await list_answer(request, ALL_TENANTS, binding, lambda asked: service.list(by, asked))


@router.post(
    "/tenants",
    status_code=201,
    operation_id="platform_tenants_create",
    responses={201: CREATED},
)
async def create_tenant(
    payload: PlatformTenantCreate, response: Response, service: Service, by: Call, idempotency: PersonIdempotent
) -> TenantRead:
    """Found a tenant, also with a reserved slug or a schema of its own."""
    tenant = await service.create(
        by,
        payload.name,
        payload.slug,
        owner_id=payload.owner_id,
        placement=payload.placement,
        idempotency=idempotency,
    )
    response.headers["Location"] = f"{API_PREFIX}/platform/tenants/{tenant.id}"
    return versioned(tenant, response)


@router.get(
    "/slugs", operation_id="platform_slugs_list", response_model=SlugPage, openapi_extra=parameters_of(ALL_SLUGS)
)
async def list_slugs(request: Request, service: Service, by: Call) -> Response:
    """List all slugs that tenants have or had. They stay the tenant's: an old address leads to no stranger."""
    binding = f"{by.actor.id}:platform slugs"
    return await list_answer(request, ALL_SLUGS, binding, lambda asked: service.slugs(by, asked))


@router.delete("/slugs/{slug}", status_code=204, operation_id="platform_slugs_release")
async def release_slug(slug: Slug, service: Service, by: Call) -> None:
    """Release a slug that its tenant has not any more, so that anybody can take it."""
    await service.release_slug(by, slug)


@router.get("/stats", operation_id="platform_stats")
async def read_stats(service: Service, by: Call) -> PlatformStatsRead:
    """How many tenants and people there are."""
    return await service.stats(by)


@router.get("/tenants/{tenant_id}", operation_id="platform_tenants_read", responses={200: VERSIONED})
async def read_tenant(tenant_id: UUID, response: Response, service: Service, by: Call) -> TenantRead:
    """A tenant."""
    return versioned(await service.read(by, tenant_id), response)


@router.patch(
    "/tenants/{tenant_id}",
    operation_id="platform_tenants_update",
    responses={200: VERSIONED},
)
async def update_tenant(
    tenant_id: UUID,
    payload: TenantUpdate,
    response: Response,
    service: Service,
    expected: Expected,
    by: Call,
) -> TenantRead:
    """Change a tenant's name, slug or settings."""
    changes = payload.model_dump(exclude_unset=True)
    return versioned(await service.change(by, tenant_id, changes, expected_version=expected), response)


@router.post(
    "/tenants/{tenant_id}/suspend",
    operation_id="platform_tenants_suspend",
    responses={200: VERSIONED},
)
async def suspend(tenant_id: UUID, response: Response, service: Service, by: Call) -> TenantRead:
    """Let nobody work in a tenant until it is resumed."""
    return versioned(await service.suspend(by, tenant_id), response)


@router.post(
    "/tenants/{tenant_id}/resume",
    operation_id="platform_tenants_resume",
    responses={200: VERSIONED},
)
async def resume(tenant_id: UUID, response: Response, service: Service, by: Call) -> TenantRead:
    """Open a suspended tenant again, or finish one whose preparation was interrupted."""
    return versioned(await service.resume(by, tenant_id), response)
