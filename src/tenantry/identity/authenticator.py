"""The hot path of identity: from an access token to who is signed in, for every request."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

from tenantry.cache import MISSING, FactCache
from tenantry.database import Database
from tenantry.identity.errors import InvalidAccessToken
from tenantry.identity.keys import Keyring
from tenantry.identity.models import SUPERADMIN
from tenantry.identity.repository import SESSION_FACT
from tenantry.identity.tokens import AccessTokens, Claims
from tenantry.kernel import SYSTEM, Clock

KEPT_TOKENS = 10_000
"""Verified tokens remembered by a process, the latest used; about 1 KiB each."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is signed in, and where they want to act. Whether they may, tenancy and access decide."""

    user_id: UUID
    session_id: UUID
    active_tenant_id: UUID | None
    platform_role: str | None

    @property
    def is_platform_admin(self) -> bool:
        """Whether the person administers the platform."""
        return self.platform_role == SUPERADMIN


@dataclass(frozen=True, slots=True)
class SessionFact:
    """What must be true now for a token of a session to count; None in the cache: the session counts no more."""

    user_id: UUID
    platform_role: str | None


@dataclass(slots=True, eq=False)
class _Verified:
    """A token that was verified, and the identity it stood for under the session fact of then."""

    claims: Claims
    key: str
    fact: SessionFact | None = None
    identity: Identity | None = None

    def under(self, fact: SessionFact | None) -> Identity | None:
        """Return the identity if the session counts and is this user's."""
        claims = self.claims
        if fact is None or fact.user_id != claims.user_id:
            return None
        if fact is not self.fact:
            self.identity = Identity(claims.user_id, claims.session_id, claims.active_tenant_id, fact.platform_role)
            self.fact = fact
        return self.identity


class Authenticator:
    """Turns access tokens into identities.

    Remembered are successful verifications of the signature only, by the whole token, and never beyond its expiry.
    Whether the session still counts is asked every time, of the fact cache.
    """

    def __init__(self, tokens: AccessTokens, facts: FactCache, database: Database, clock: Clock) -> None:
        self._tokens = tokens
        self._facts = facts
        self._database = database
        self._clock = clock
        self._verified: OrderedDict[str, _Verified] = OrderedDict()

    def peek(self, token: str) -> Identity | None:
        """Return the identity without waiting, if everything needed is at hand; None means: ask `authenticate`."""
        known = self._verified.get(token)
        if known is None or self._clock.now().timestamp() >= known.claims.expires_at:
            return None
        fact = self._facts.peek(known.key)
        if fact is MISSING:
            return None
        self._verified.move_to_end(token)
        return known.under(fact)

    async def authenticate(self, token: str) -> Identity:
        """Return who the token stands for; a token that is not ours reaches no database.

        Raises `InvalidAccessToken`.
        """
        found = self.peek(token)
        if found is not None:
            return found
        known = self._verify(token)
        session_id = known.claims.session_id
        # "No such session" may be kept: no id is asked for before its session exists, and what has ended stays so.
        fact = await self._facts.load(known.key, lambda: self._load(session_id), keep_none=True)
        identity = known.under(fact)
        if identity is None:
            raise InvalidAccessToken
        return identity

    def use_keys(self, keys: Keyring) -> None:
        """Sign and verify with other keys from now on, and forget what the old ones verified."""
        self._tokens.keys = keys
        self._verified.clear()

    def _verify(self, token: str) -> _Verified:
        claims = self._tokens.verify(token, self._clock.now())
        known = _Verified(claims, session_key(claims.session_id))
        self._verified[token] = known
        if len(self._verified) > KEPT_TOKENS:
            self._verified.popitem(last=False)
        return known

    async def _load(self, session_id: UUID) -> SessionFact | None:
        async with self._database.control_scope(actor=SYSTEM) as uow:
            row = await uow.one(SESSION_FACT, id=session_id)
        return None if row is None else SessionFact(row["user_id"], row["platform_role"])


def session_key(session_id: UUID) -> str:
    """Return the key of a session's fact.

    >>> session_key(UUID(int=1))
    'session:00000000-0000-0000-0000-000000000001'
    """
    return f"session:{session_id}"


def user_key(user_id: UUID) -> str:
    """Return the key of "this person is active", which is announced with every change of a user."""
    return f"user:{user_id}"
