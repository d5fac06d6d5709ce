"""Roles and permissions over HTTP."""

from __future__ import annotations

from fastapi import Request, Response

from tenantry.access import AccessContext, member
from tenantry.database import Plane
from tenantry.http import api_router
from tenantry.query import ListPage, ListRequest
from tenantry.resources import ResourceRouter, list_answer, list_binding, parameters_of
from tenantry.standard.roles.repository import PERMISSIONS, permissions_of
from tenantry.standard.roles.schemas import PermissionPage, RoleCreate, RoleUpdate
from tenantry.standard.roles.service import RoleService

roles = ResourceRouter(
    RoleService,
    "/roles",
    create=RoleCreate,
    update=RoleUpdate,
    filters={"is_builtin", "counts_as"},
    sort={"is_builtin", "name"},
    default_sort="-is_builtin,name",
    search={"name", "description"},
    id_in_path="role_id",
)

permissions = api_router("/permissions", tags=["roles"])


@permissions.get(
    "",
    operation_id="permissions_list",
    response_model=PermissionPage,
    dependencies=[member],
    openapi_extra=parameters_of(PERMISSIONS),
)
async def list_permissions(request: Request, access: AccessContext = member) -> Response:
    """List every permission that there is, and which built-in roles hold it."""

    async def read(asked: ListRequest) -> ListPage:
        async with access.work(Plane.CONTROL) as uow:
            return await PERMISSIONS.read(uow, asked, listed=permissions_of(access.runtime.permissions))

    return await list_answer(request, PERMISSIONS, list_binding(access, "permissions"), read)
