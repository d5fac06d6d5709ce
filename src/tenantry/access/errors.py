"""The failures of access."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from tenantry.kernel import Conflict, FieldError, InvalidInput, NotFound, PermissionDenied


class NotPermitted(PermissionDenied):
    """You may not do this.

    `permission`, `resource_type` and `record_id` are what the trail says about the refusal.
    """

    def __init__(
        self,
        detail: str | None = None,
        *,
        permission: str | None = None,
        resource_type: str | None = None,
        record_id: UUID | None = None,
        errors: Sequence[FieldError] = (),
    ) -> None:
        super().__init__(detail, errors=errors)
        self.permission = permission
        self.resource_type = resource_type
        self.record_id = record_id


class FieldNotPermitted(NotPermitted):
    """You may not write this field."""


class RecordNotFound(NotFound):
    """There is no such record."""

    code = "not_found"


class BeyondOwnPermissions(PermissionDenied):
    """Nobody can give what they do not have."""


class UnknownPermission(InvalidInput):
    """There is no such permission."""


class UnknownResource(InvalidInput):
    """There is no such resource."""


class GrantExpired(InvalidInput):
    """A grant ends in the future."""


class UnknownRole(InvalidInput):
    """There is no such role in this tenant."""


class UnknownSubject(InvalidInput):
    """There is no such subject in this tenant."""


class RoleNotFound(NotFound):
    """There is no such role."""


class RoleNameTaken(Conflict):
    """A role with this name exists."""


class RoleInUse(Conflict):
    """The role is still held by somebody."""


class ServiceAccountNotFound(NotFound):
    """There is no such service account."""


class ServiceAccountSuspended(PermissionDenied):
    """This service account is suspended: whoever answers for it may not do what it does any more."""


class ServiceAccountNameTaken(Conflict):
    """A service account with this name exists."""


class ApiKeyNotFound(NotFound):
    """There is no such key."""


class GrantNotFound(NotFound):
    """There is no such grant."""


class GrantExists(Conflict):
    """The subject has this grant already."""


class TooManyGrants(Conflict):
    """There are too many grants already."""
