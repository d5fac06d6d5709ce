"""The failures of API keys and service accounts. Why a key is refused is told to nobody who cannot show a good one."""

from __future__ import annotations

from tenantry.kernel import BadRequest, InvalidInput, Kind, PermissionDenied, TenantryError


class InvalidApiKey(TenantryError):
    """The API key is not valid."""

    kind = Kind.UNAUTHENTICATED


class TwoCredentials(BadRequest):
    """Send one credential: an access token or one API key."""


class KeysNeedAPerson(PermissionDenied):
    """API keys and service accounts are managed by people, signed in; a key makes no keys."""


class UnknownServiceAccount(InvalidInput):
    """There is no such service account in this tenant."""


class TooManyKeys(TenantryError):
    """There are too many keys already; delete one that is not used."""

    kind = Kind.CONFLICT


class InvalidExpiry(InvalidInput):
    """A key expires in the future, within 366 days."""
