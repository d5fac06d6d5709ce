"""Access tokens: short-lived JWTs (RFC 9068) that name a user and a session; whether it lives is asked elsewhere."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError

from tenantry.identity.errors import InvalidAccessToken
from tenantry.identity.keys import Keyring

MAX_TOKEN = 8192
"""Characters of a token; a longer one is refused before anything of it is read."""

_PARTS = 3
_LATEST = 32_503_680_000
"""The year 3000, in seconds: a later time in a token is no time."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified access token says."""

    user_id: UUID
    session_id: UUID
    active_tenant_id: UUID | None
    token_id: str
    issued_at: int
    expires_at: int
    """Seconds since 1970, like `issued_at`; the token is invalid from this second on."""


class AccessTokens:
    """Makes and verifies access tokens.

    No leeway is given for clocks: these tokens come from and go to servers of one installation.
    """

    def __init__(self, keys: Keyring, *, issuer: str, audience: str) -> None:
        self.keys = keys
        self._issuer = issuer
        self._audience = audience

    def issue(self, claims: Claims) -> str:
        """Return the signed token; the same claims give the same token while the signing key is the same."""
        signer = self.keys.signer
        content: dict[str, Any] = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": str(claims.user_id),
            "sid": str(claims.session_id),
            "jti": claims.token_id,
            "iat": claims.issued_at,
            "exp": claims.expires_at,
        }
        if claims.active_tenant_id is not None:
            content["active_tenant_id"] = str(claims.active_tenant_id)
        return jwt.encode(signer.members, content, signer.key, registry=signer.registry)

    def verify(self, token: str, now: datetime) -> Claims:
        """Return what the token says if it is ours and valid at `now`; raise `InvalidAccessToken` otherwise.

        Touches no database and fetches nothing: the key is one of the ring, whatever the token says about keys.
        """
        if len(token) > MAX_TOKEN or not token.isascii():
            raise InvalidAccessToken
        header, *rest = token.split(".", _PARTS)
        key = self.keys.of_header(header)
        if key is None or len(rest) != _PARTS - 1:
            raise InvalidAccessToken
        try:
            content = jwt.decode(token, key.key, registry=key.registry, decoder_cls=_StrictDecoder).claims
            claims = self._claims(content, now)
        except (JoseError, ValueError, TypeError, KeyError, RecursionError):
            raise InvalidAccessToken from None
        return claims

    def _claims(self, content: dict[str, Any], now: datetime) -> Claims:
        if content["iss"] != self._issuer or content["aud"] != self._audience:
            raise ValueError
        expires_at, seconds = _moment(content["exp"]), now.timestamp()
        if seconds >= expires_at or seconds < _moment(content.get("nbf", 0)):
            raise ValueError
        tenant = content.get("active_tenant_id")
        return Claims(
            user_id=_uuid(content["sub"]),
            session_id=_uuid(content["sid"]),
            active_tenant_id=None if tenant is None else _uuid(tenant),
            token_id=_text(content["jti"]),
            issued_at=_moment(content["iat"]),
            expires_at=expires_at,
        )


class _StrictDecoder(json.JSONDecoder):
    """JSON in which no member appears twice (readers disagree about which one counts) and every number is one."""

    def __init__(self) -> None:
        super().__init__(object_pairs_hook=_unique, parse_constant=_refuse)


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError
    return members


def _refuse(_constant: str) -> NoReturn:
    raise ValueError


def _moment(value: Any) -> int:
    if type(value) is not int or not 0 <= value < _LATEST:
        raise ValueError
    return value


def _uuid(value: Any) -> UUID:
    identifier = UUID(_text(value))
    if str(identifier) != value:  # UUID() takes braces and URNs too: one value, one spelling
        raise ValueError
    return identifier


def _text(value: Any) -> str:
    if type(value) is not str or not value:
        raise ValueError
    return value


def seconds_of(moment: datetime) -> int:
    """Return a moment as a token holds it: whole seconds since 1970.

    >>> from datetime import UTC
    >>> seconds_of(datetime(1970, 1, 1, 0, 1, tzinfo=UTC))
    60
    """
    return int(moment.timestamp())
