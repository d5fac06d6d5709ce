"""Tenants over HTTP: found one, list one's own; read and change the current one."""

# No `from __future__ import annotations`: FastAPI reads the schemas of an application from the signatures made here.
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from tenantry.access import Access, member, require_permission
from tenantry.http import API_PREFIX, CREATED, VERSIONED, api_router, etag
from tenantry.identity import CurrentIdentity, person, signed_in
from tenantry.resources import Expected, PersonIdempotent, list_answer, parameters_of, request_id_of
from tenantry.standard.dependencies import standard_service
from tenantry.standard.tenants.repository import OWN_TENANTS
from tenantry.standard.tenants.schemas import OwnTenantPage, TenantCreate, TenantRead, TenantSchemas
from tenantry.standard.tenants.service import Founding, Tenants

own_tenants = api_router(tags=["tenants"], dependencies=[Depends(signed_in)])

_updater: Any = require_permission("tenant:update")
_listing = parameters_of(OWN_TENANTS)


Service = Annotated[Tenants, standard_service("tenants")]


@own_tenants.post("/tenants", status_code=201, operation_id="tenants_create", responses={201: CREATED})
async def create_tenant(
    request: Request,
    response: Response,
    payload: TenantCreate,
    service: Service,
    identity: CurrentIdentity,
    idempotency: PersonIdempotent,
) -> TenantRead:
    """Found a tenant; the caller becomes its owner."""
    tenant = await service.create(
        Founding(payload.name, payload.slug, identity.user_id, person(identity), request_id_of(request)), idempotency
    )
    response.headers["Location"] = f"{API_PREFIX}/tenant"
    return versioned(tenant, response)


async def list_own(request: Request, service: Service, identity: CurrentIdentity) -> Response:
    """List the tenants that the caller belongs to, with the role in each."""
    return await list_answer(
        request,
        OWN_TENANTS,
        f"{identity.user_id}:tenants",
        lambda asked: service.own(identity.user_id, person(identity), asked),
    )


for path, operation in (("/tenants", "tenants_list"), ("/me/tenants", "me_tenants_list")):
    own_tenants.get(
        path,
        operation_id=operation,
        response_model=OwnTenantPage,
        openapi_extra=_listing,
    )(list_own)


def current_router(schemas: TenantSchemas) -> APIRouter:
    """Return the routes of `/tenant`."""
    current = api_router("/tenant", tags=["tenant"])
    declared: dict[str, Any] = {"response_model": schemas.read, "responses": {200: VERSIONED}}

    @current.get("", operation_id="tenant_read", dependencies=[member], **declared)
    async def read_tenant(response: Response, service: Service, access: Access) -> TenantRead:
        """The current tenant."""
        return versioned(await service.read(access, schemas), response)

    @current.patch("", operation_id="tenant_update", dependencies=[_updater], **declared)
    async def update_tenant(
        payload: schemas.update,  # type: ignore[name-defined]
        response: Response,
        service: Service,
        expected: Expected,
        access: Access,
    ) -> TenantRead:
        """Change the current tenant's name, slug or settings."""
        changes = payload.model_dump(exclude_unset=True)
        tenant = await service.change(access, changes, expected_version=expected, schemas=schemas)
        return versioned(tenant, response)

    return current


def versioned(tenant: TenantRead, response: Response) -> TenantRead:
    """Return a tenant with its version in the header `ETag`."""
    response.headers["ETag"] = etag(tenant.version)
    return tenant
