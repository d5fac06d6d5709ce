"""What roles mean: those of a tenant's own, and who may give which."""

from tenantry.access.roles.authority import Delegable, RoleDelegation
from tenantry.access.roles.facts import RoleCache, RoleFacts, read_roles, roles_key

__all__ = ["Delegable", "RoleCache", "RoleDelegation", "RoleFacts", "read_roles", "roles_key"]
