"""Roles and permissions over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, cast
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from tenantry.access import AccessContext, member, require_permission
from tenantry.http import API_PREFIX, CREATED, VERSIONED, api_router, etag
from tenantry.resources import Expected, list_answer, list_binding, parameters_of
from tenantry.standard.roles.repository import PERMISSIONS, ROLES
from tenantry.standard.roles.schemas import PermissionPage, RoleCreate, RolePage, RoleRead, RoleUpdate
from tenantry.standard.roles.service import RoleRecord, Roles


def _roles(request: Request) -> Roles:
    return cast("Roles", request.app.state.assembly.services.roles)


Service = Annotated[Roles, Depends(_roles)]

_reader: Any = require_permission("roles:read")
_manager: Any = require_permission("roles:manage")


def roles_routers() -> tuple[APIRouter, ...]:
    """Return the routes of the tenant's roles and of the permissions that there are."""
    return _roles_router(), _permissions_router()


def _roles_router() -> APIRouter:
    router = api_router("/roles", tags=["roles"])

    @router.get(
        "",
        operation_id="roles_list",
        response_model=RolePage,
        dependencies=[_reader],
        openapi_extra=parameters_of(ROLES),
    )
    async def list_roles(request: Request, service: Service, access: AccessContext = _reader) -> Response:
        """List the roles: the built-in ones, then the tenant's own."""
        return await list_answer(
            request, ROLES, list_binding(access, "roles"), lambda asked: service.list(access, asked)
        )

    @router.post("", status_code=201, operation_id="roles_create", responses={201: CREATED}, dependencies=[_manager])
    async def create_role(
        payload: RoleCreate, response: Response, service: Service, access: AccessContext = _manager
    ) -> RoleRead:
        """Make a role of the permissions that one holds oneself."""
        role = await service.create(access, payload.model_dump())
        response.headers["Location"] = f"{API_PREFIX}/roles/{role.id}"
        return _versioned(role, response)

    @router.get("/{role_id}", operation_id="roles_read", responses={200: VERSIONED}, dependencies=[_reader])
    async def read_role(
        role_id: UUID, response: Response, service: Service, access: AccessContext = _reader
    ) -> RoleRead:
        """A role."""
        return _versioned(await service.read(access, role_id), response)

    @router.patch("/{role_id}", operation_id="roles_update", responses={200: VERSIONED}, dependencies=[_manager])
    async def update_role(
        role_id: UUID,
        payload: RoleUpdate,
        response: Response,
        service: Service,
        expected: Expected,
        access: AccessContext = _manager,
    ) -> RoleRead:
        """Change a role, for everybody who holds it."""
        changes = payload.model_dump(exclude_unset=True)
        return _versioned(await service.change(access, role_id, changes, expected_version=expected), response)

    @router.delete("/{role_id}", status_code=204, operation_id="roles_delete", dependencies=[_manager])
    async def delete_role(
        role_id: UUID, service: Service, expected: Expected, access: AccessContext = _manager
    ) -> None:
        """Delete a role that nobody holds."""
        await service.delete(access, role_id, expected_version=expected)

    return router


def _permissions_router() -> APIRouter:
    router = api_router("/permissions", tags=["roles"])

    @router.get(
        "",
        operation_id="permissions_list",
        response_model=PermissionPage,
        dependencies=[member],
        openapi_extra=parameters_of(PERMISSIONS),
    )
    async def list_permissions(request: Request, service: Service, access: AccessContext = member) -> Response:
        """List every permission that there is, and which built-in roles hold it."""
        return await list_answer(
            request,
            PERMISSIONS,
            list_binding(access, "permissions"),
            lambda asked: service.permissions(access, asked),
        )

    return router


def _versioned(role: RoleRecord, response: Response) -> RoleRead:
    response.headers["ETag"] = etag(role.version)
    return RoleRead.model_validate(role)
