"""What a client can meet on any resource, besides what the fields say."""

from __future__ import annotations

from tenantry.kernel import BadRequest, InvalidInput


class ConfirmationMissing(BadRequest):
    """Deleting a whole collection needs a confirmation."""


class InvalidId(InvalidInput):
    """The address holds no valid id."""


class IdempotencyKeyReused(InvalidInput):
    """This Idempotency-Key was used for another request."""
