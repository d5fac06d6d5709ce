"""Identity in one value: what the assembly makes once, and everything above asks. Knows no web framework."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tenantry.identity.authenticator import Authenticator
from tenantry.identity.keys import Keyring, derived_key, keyring_of
from tenantry.identity.mails import Courier
from tenantry.identity.password_reset import PasswordReset
from tenantry.identity.passwords import Passwords
from tenantry.identity.profiles import LeaveTenants, Profiles
from tenantry.identity.refresh import RefreshTokens
from tenantry.identity.registration import Registration
from tenantry.identity.repository import PRUNE_LINKS, PRUNE_SESSIONS, PRUNE_THROTTLES
from tenantry.identity.sessions import MembershipOf, Sessions
from tenantry.identity.settings import IdentitySettings
from tenantry.identity.sign_in import SignIn
from tenantry.identity.tokens import AccessTokens
from tenantry.kernel import SYSTEM
from tenantry.runtime import Runtime

_RETENTION = timedelta(days=90)
"""How long ended sessions and used links are kept: long enough to see what happened, and to know an old address."""


class IdentityService:
    """The behaviours of identity, each with its own rules: `registration`, `sign_in`, `sessions`, `password_reset`,
    `profiles`, and the `authenticator` of every request.

    Raises `ConfigurationError` for settings that cannot work.
    """

    def __init__(
        self, runtime: Runtime, settings: IdentitySettings, *, membership_of: MembershipOf, leave_tenants: LeaveTenants
    ) -> None:
        self._runtime = runtime
        self._keys = keyring_of(settings)
        self._courier = Courier(runtime.mailer)
        passwords = Passwords(slots=settings.hashing_slots, queue=settings.hashing_queue)
        access = AccessTokens(self._keys, issuer=settings.issuer, audience=settings.audience)
        refresh = RefreshTokens(derived_key(settings, "refresh tokens"))
        self.authenticator = Authenticator(access, runtime.facts, runtime.database, runtime.clock)
        self.sessions = Sessions(runtime, settings, access=access, refresh=refresh, membership_of=membership_of)
        self.sign_in = SignIn(runtime, settings, passwords=passwords, sessions=self.sessions)
        self.registration = Registration(runtime, settings, passwords=passwords, courier=self._courier)
        self.password_reset = PasswordReset(
            runtime, settings, passwords=passwords, sessions=self.sessions, courier=self._courier
        )
        self.profiles = Profiles(
            runtime, settings, sessions=self.sessions, courier=self._courier, leave_tenants=leave_tenants
        )

    def jwks(self) -> dict[str, list[dict[str, Any]]]:
        """Return the public keys of access tokens; none with a symmetric key."""
        return self._keys.jwks()

    def use_keys(self, keys: Keyring) -> None:
        """Replace the keys of access tokens while running. A token counts as long as its key is in the ring."""
        self._keys = keys
        self.authenticator.use_keys(keys)

    async def prune(self) -> None:
        """Delete what has no use any more: passed limits, and links and sessions that ended 90 days ago."""
        now = self._runtime.clock.now()
        async with self._runtime.database.control_scope(actor=SYSTEM) as uow:
            await uow.run(PRUNE_THROTTLES, now=now)
            await uow.run(PRUNE_LINKS, before=now - _RETENTION)
            await uow.run(PRUNE_SESSIONS, before=now - _RETENTION)

    async def close(self) -> None:
        """Wait for mails that are on their way."""
        await self._courier.close()
