"""Identity in one value: what the assembly makes once, and everything above asks. Knows no web framework."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from tenantry.database import UnitOfWork
from tenantry.identity.authenticator import Authenticator
from tenantry.identity.keys import Keyring, derived_key, keyring_of
from tenantry.identity.links import Links
from tenantry.identity.passwords import Passwords
from tenantry.identity.refresh import RefreshTokens
from tenantry.identity.repository import BLANK_SESSIONS, DELETE_LINKS, PRUNE_LINKS, PRUNE_SESSIONS, PRUNE_THROTTLES
from tenantry.identity.sessions import EndReason, MembershipOf, Sessions
from tenantry.identity.settings import IdentitySettings
from tenantry.identity.tokens import AccessTokens
from tenantry.kernel import SYSTEM
from tenantry.runtime import Runtime

_RETENTION = timedelta(days=90)
"""How long ended sessions and used links are kept: long enough to see what happened, and to know an old address."""


class IdentityService:
    """What makes an identity, in one value: `passwords`, `links`, `sessions`, and the `authenticator` of every request.

    Raises `ConfigurationError` for settings that cannot work.
    """

    def __init__(self, runtime: Runtime, settings: IdentitySettings, *, membership_of: MembershipOf) -> None:
        self.runtime = runtime
        self.settings = settings
        self._keys = keyring_of(settings)
        access = AccessTokens(self._keys, issuer=settings.issuer, audience=settings.audience)
        refresh = RefreshTokens(derived_key(settings, "refresh tokens"))
        self.passwords = Passwords(slots=settings.hashing_slots, queue=settings.hashing_queue)
        self.links = Links(runtime, settings)
        self.authenticator = Authenticator(access, runtime.facts, runtime.database, runtime.clock)
        self.sessions = Sessions(runtime, settings, access=access, refresh=refresh, membership_of=membership_of)

    def jwks(self) -> dict[str, list[dict[str, Any]]]:
        """Return the public keys of access tokens; none with a symmetric key."""
        return self._keys.jwks()

    def use_keys(self, keys: Keyring) -> None:
        """Replace the keys of access tokens while running. A token counts as long as its key is in the ring."""
        self._keys = keys
        self.authenticator.use_keys(keys)

    async def forget(self, uow: UnitOfWork, user_id: UUID) -> None:
        """End every session of somebody who is removed, and blank what sessions and links know of a person."""
        await self.sessions.end_all(uow, user_id, EndReason.DELETED)
        await uow.run(DELETE_LINKS, owner_id=user_id)
        await uow.run(BLANK_SESSIONS, owner_id=user_id)

    async def prune(self) -> None:
        """Delete what has no use any more: passed limits, and links and sessions that ended 90 days ago."""
        now = self.runtime.clock.now()
        async with self.runtime.database.control_scope(actor=SYSTEM) as uow:
            await uow.run(PRUNE_THROTTLES, now=now)
            await uow.run(PRUNE_LINKS, before=now - _RETENTION)
            await uow.run(PRUNE_SESSIONS, before=now - _RETENTION)
