"""The roles of a tenant's own: named sets of permissions, which nobody makes stronger than themselves."""

from tenantry.access.roles.authority import RoleDelegation, Standing, acting_of
from tenantry.access.roles.facts import RoleCache, RoleFacts
from tenantry.access.roles.router import roles_routers
from tenantry.access.roles.service import RoleRecord, Roles

__all__ = ["RoleCache", "RoleDelegation", "RoleFacts", "RoleRecord", "Roles", "Standing", "acting_of", "roles_routers"]
