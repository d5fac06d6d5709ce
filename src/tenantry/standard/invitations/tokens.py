"""The tokens of invitations: they name their tenant, so that one can be accepted before anything is known."""

from __future__ import annotations

import hashlib
import re
import secrets
from uuid import UUID

from tenantry.tenancy import InvalidInvitation

_TOKEN = re.compile(r"([0-9a-f]{32})[A-Za-z0-9_-]{43}")
_BYTES = 32


def new_token(tenant_id: UUID) -> str:
    """Return a token that nobody can guess."""
    return f"{tenant_id.hex}{secrets.token_urlsafe(_BYTES)}"


def tenant_of(token: str) -> UUID:
    """Return the tenant that a token names. Raises `InvalidInvitation` for what is no token."""
    match = _TOKEN.fullmatch(token)
    if match is None:
        raise InvalidInvitation
    return UUID(match[1])


def hashed(token: str) -> bytes:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode()).digest()
