"""Refresh tokens: ``<session>.<generation>.<secret>``, where the secret follows from the other two and a key of ours.

Therefore the answer of a refresh can be given again without keeping it, and a token of any earlier generation can be
told from an invention: only a genuine one that comes back ends its session, so that a session's id alone ends nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from uuid import UUID

from tenantry.identity.errors import InvalidRefreshToken

_TOKEN = re.compile(r"([0-9a-f]{32})\.(0|[1-9][0-9]{0,8})\.([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A token taken apart. Nothing of it is proven yet."""

    session_id: UUID
    generation: int
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        """The token as the client has it."""
        return f"{self.session_id.hex}.{self.generation}.{self.secret}"

    @property
    def hash(self) -> bytes:
        """What is stored of it. The secret has 256 bits, so a plain SHA-256 cannot be guessed back."""
        return hashlib.sha256(self.secret.encode("ascii")).digest()


class RefreshTokens:
    """Makes and reads refresh tokens with one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def make(self, session_id: UUID, generation: int) -> RefreshToken:
        """Return the token of a session's generation: always the same one.

        >>> tokens = RefreshTokens(bytes(32))
        >>> tokens.make(UUID(int=1), 0) == tokens.make(UUID(int=1), 0) != tokens.make(UUID(int=1), 1)
        True
        """
        named = f"{session_id.hex}.{generation}".encode("ascii")
        secret = base64.urlsafe_b64encode(hmac.digest(self._key, named, "sha256")).rstrip(b"=").decode("ascii")
        return RefreshToken(session_id, generation, secret)

    def is_genuine(self, token: RefreshToken) -> bool:
        """Tell whether this key made the token."""
        return hmac.compare_digest(token.secret, self.make(token.session_id, token.generation).secret)

    @staticmethod
    def parse(text: str) -> RefreshToken:
        """Return the parts of a token; raise `InvalidRefreshToken` where it cannot be one."""
        found = _TOKEN.fullmatch(text)
        if found is None:
            raise InvalidRefreshToken
        return RefreshToken(UUID(hex=found[1]), int(found[2]), found[3])
