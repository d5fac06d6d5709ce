"""The roles of a tenant's own: named sets of permissions, which nobody makes stronger than themselves."""

from tenantry.access.roles.authority import GivingRoles, Standing
from tenantry.access.roles.facts import RoleBook, RoleFacts
from tenantry.access.roles.router import roles_routers
from tenantry.access.roles.service import RoleRecord, Roles

__all__ = ["GivingRoles", "RoleBook", "RoleFacts", "RoleRecord", "Roles", "Standing", "roles_routers"]
