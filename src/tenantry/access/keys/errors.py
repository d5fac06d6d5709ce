"""Why a key is refused is told to nobody who cannot show a good one."""

from __future__ import annotations

from tenantry.kernel import BadRequest, Kind, TenantryError


class InvalidApiKey(TenantryError):
    """The API key is not valid."""

    kind = Kind.UNAUTHENTICATED


class TwoCredentials(BadRequest):
    """Send one credential: an access token or one API key."""
