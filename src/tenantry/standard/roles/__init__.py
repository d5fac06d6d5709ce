"""Roles of a tenant's own, and the permissions that there are."""

from pathlib import Path

from tenantry.module import Module
from tenantry.standard.roles.permissions import ROLES_PERMISSIONS
from tenantry.standard.roles.router import permissions, roles
from tenantry.standard.roles.schemas import RoleCreate, RoleUpdate
from tenantry.standard.roles.service import RoleService

module = Module("roles", permissions=ROLES_PERMISSIONS, routers=(roles, permissions), folder=Path(__file__).parent)

__all__ = ["RoleCreate", "RoleService", "RoleUpdate", "module"]
