"""The failures of a tenant's own roles."""

from __future__ import annotations

from tenantry.kernel import Conflict


class RoleIsBuiltin(Conflict):
    """Built-in roles cannot be changed."""


class TooManyRoles(Conflict):
    """There are too many roles already."""
