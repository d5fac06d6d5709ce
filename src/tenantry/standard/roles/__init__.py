"""Roles of a tenant's own, and the permissions that there are."""

from pathlib import Path

from tenantry.module import Module
from tenantry.standard.roles.permissions import ROLES_PERMISSIONS
from tenantry.standard.roles.router import roles_routers

module = Module("roles", permissions=ROLES_PERMISSIONS, routers=(*roles_routers(),), folder=Path(__file__).parent)

__all__ = ["module"]
