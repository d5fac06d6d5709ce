"""What a client can meet on any resource, besides what the fields say."""

from __future__ import annotations

from tenantry.kernel import InvalidInput, Kind, TenantryError


class ConfirmationMissing(TenantryError):
    """Deleting a whole collection needs a confirmation."""

    kind = Kind.BAD_REQUEST


class InvalidId(InvalidInput):
    """The address holds no valid id."""


class IdempotencyKeyReused(TenantryError):
    """This Idempotency-Key was used for another request."""

    kind = Kind.INVALID
