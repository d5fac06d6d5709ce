"""Grants over HTTP: those on records under each record, those on whole resources in one place."""

from __future__ import annotations

from typing import Annotated, Any, cast
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from tenantry.access import Access, ResourceAccess, member, require_permission
from tenantry.http import API_PREFIX, CREATED, api_router
from tenantry.resources import list_answer, list_binding, parameters_of
from tenantry.standard.grants.grant_writer import GrantRequest
from tenantry.standard.grants.repository import OF_RECORD, OF_TYPES
from tenantry.standard.grants.schemas import (
    GrantCreate,
    GrantPage,
    GrantRead,
    TypeGrantCreate,
    TypeGrantPage,
    TypeGrantRead,
)
from tenantry.standard.grants.service import GrantService


def grant_service(request: Request) -> GrantService:
    """Return the service of the application."""
    return cast("GrantService", request.app.state.assembly.services.grants)


Service = Annotated[GrantService, Depends(grant_service)]


def record_grants_router(of: ResourceAccess, path: str) -> APIRouter:
    """Return the routes of the grants on records of one resource; `path` is where its records are, below the prefix."""
    router = api_router(path + "/{id}/grants", tags=[of.resource])
    one = f"{'an' if of.singular[0] in 'aeiou' else 'a'} {of.singular}"

    @router.get(
        "",
        operation_id=f"{of.resource}_grants_list",
        summary=f"List the grants on {one}",
        response_model=GrantPage,
        dependencies=[member],
        openapi_extra=parameters_of(OF_RECORD),
    )
    async def list_grants(id: UUID, request: Request, service: Service, access: Access) -> Response:  # noqa: A002
        """Who may, or may not, do what with the record by grants. Expired ones are listed too."""
        return await list_answer(
            request,
            OF_RECORD,
            list_binding(access, f"grants:{id}"),
            lambda asked: service.records.list(access, of, id, asked),
        )

    @router.post(
        "",
        status_code=201,
        operation_id=f"{of.resource}_grants_create",
        summary=f"Grant something on {one}",
        responses={201: CREATED},
        dependencies=[member],
    )
    async def give(
        id: UUID,  # noqa: A002
        payload: GrantCreate,
        response: Response,
        service: Service,
        access: Access,
    ) -> GrantRead:
        """Allow or deny a subject an action on the record and what lies below it. A deny stands above every allow."""
        grant = await service.records.give(access, of, id, GrantRequest(**payload.model_dump()))
        response.headers["Location"] = f"{API_PREFIX}{path}/{id}/grants/{grant['id']}"
        return GrantRead(**dict(grant))

    @router.delete(
        "/{grant_id}",
        status_code=204,
        operation_id=f"{of.resource}_grants_delete",
        summary=f"Take a grant on {one} back",
        dependencies=[member],
    )
    async def take(id: UUID, grant_id: UUID, service: Service, access: Access) -> None:  # noqa: A002
        """Take a grant back; it counts no more from the next request on."""
        await service.records.take(access, of, id, grant_id)

    return router


def type_grants_router() -> APIRouter:
    """Return the routes of the grants on whole resources."""
    router = api_router("/grants", tags=["grants"])
    reader: Any = require_permission("grants:read")
    manager: Any = require_permission("grants:manage")

    @router.get(
        "",
        operation_id="grants_list",
        summary="List the grants on whole resources",
        response_model=TypeGrantPage,
        dependencies=[reader],
        openapi_extra=parameters_of(OF_TYPES),
    )
    async def list_grants(request: Request, service: Service, access: Access) -> Response:
        """Who may, or may not, do what with every record of a resource by grants. Expired ones are listed too."""
        return await list_answer(
            request, OF_TYPES, list_binding(access, "grants"), lambda asked: service.types.list(access, asked)
        )

    @router.post(
        "",
        status_code=201,
        operation_id="grants_create",
        summary="Grant something on a whole resource",
        responses={201: CREATED},
        dependencies=[manager],
    )
    async def give(payload: TypeGrantCreate, response: Response, service: Service, access: Access) -> TypeGrantRead:
        """Allow or deny a subject an action on every record of a resource, those of tomorrow included."""
        gift = GrantRequest(**payload.model_dump(exclude={"resource_type"}))
        grant = await service.types.give(access, payload.resource_type, gift)
        response.headers["Location"] = f"{API_PREFIX}/grants/{grant['id']}"
        return TypeGrantRead(**dict(grant))

    @router.delete(
        "/{grant_id}",
        status_code=204,
        operation_id="grants_delete",
        summary="Take a grant on a whole resource back",
        dependencies=[manager],
    )
    async def take(grant_id: UUID, service: Service, access: Access) -> None:
        """Take a grant back; it counts no more from the next request on."""
        await service.types.take(access, grant_id)

    return router
