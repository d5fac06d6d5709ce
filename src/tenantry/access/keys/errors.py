"""Why a key is refused is told to nobody who cannot show a good one."""

from __future__ import annotations

from tenantry.kernel import BadRequest, Unauthenticated


class InvalidApiKey(Unauthenticated):
    """The API key is not valid."""


class TwoCredentials(BadRequest):
    """Send one credential: an access token or one API key."""
