"""The failures of a tenant's own roles."""

from __future__ import annotations

from tenantry.kernel import Kind, TenantryError


class RoleIsBuiltin(TenantryError):
    """Built-in roles cannot be changed."""

    kind = Kind.CONFLICT


class TooManyRoles(TenantryError):
    """There are too many roles already."""

    kind = Kind.CONFLICT
