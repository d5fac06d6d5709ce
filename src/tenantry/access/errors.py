"""The failures of access."""

from __future__ import annotations

from tenantry.kernel import InvalidInput, Kind, NotFound, PermissionDenied, TenantryError


class NotPermitted(PermissionDenied):
    """You may not do this."""


class BeyondOwnPermissions(PermissionDenied):
    """Nobody can give what they do not have."""


class UnknownPermission(InvalidInput):
    """There is no such permission."""


class UnknownRole(InvalidInput):
    """There is no such role in this tenant."""


class UnknownSubject(InvalidInput):
    """There is no such subject in this tenant."""


class RoleNotFound(NotFound):
    """There is no such role."""


class RoleNameTaken(TenantryError):
    """A role with this name exists."""

    kind = Kind.CONFLICT


class RoleInUse(TenantryError):
    """The role is still held by somebody."""

    kind = Kind.CONFLICT


class ServiceAccountNotFound(NotFound):
    """There is no such service account."""


class ServiceAccountNameTaken(TenantryError):
    """A service account with this name exists."""

    kind = Kind.CONFLICT


class ApiKeyNotFound(NotFound):
    """There is no such key."""


class GrantNotFound(NotFound):
    """There is no such grant."""


class GrantExists(TenantryError):
    """The subject has this grant already."""

    kind = Kind.CONFLICT


class TooManyGrants(TenantryError):
    """There are too many grants already."""

    kind = Kind.CONFLICT
