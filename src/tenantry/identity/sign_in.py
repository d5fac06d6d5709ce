"""Signing in with e-mail address and password: one answer, in one time, for everything that is wrong."""

from __future__ import annotations

from datetime import timedelta

from tenantry.database import Row
from tenantry.identity.addresses import email_key, subscriber
from tenantry.identity.caller import Caller
from tenantry.identity.errors import InvalidCredentials
from tenantry.identity.passwords import Passwords, Verdict
from tenantry.identity.repository import CREDENTIALS, HOLD_CREDENTIALS, UPGRADE_HASH
from tenantry.identity.sessions import Sessions, TokenPair
from tenantry.identity.settings import IdentitySettings
from tenantry.identity.throttling import MINUTE, Attempt, Limit, give_back, refuse, take
from tenantry.kernel import SYSTEM, Actor, ActorKind
from tenantry.runtime import Runtime

_KNOWN_FOR = timedelta(days=90)
"""For how long an address counts as one that the account is used from."""


class SignIn:
    """Verifies passwords and starts sessions.

    Only failures are limited: what was counted before the password is verified is given back when it is right. An
    address that the account was used from has a count of its own, so that somebody who tries passwords from elsewhere
    cannot lock the owner out.
    """

    def __init__(
        self, runtime: Runtime, settings: IdentitySettings, *, passwords: Passwords, sessions: Sessions
    ) -> None:
        self._database = runtime.database
        self._clock = runtime.clock
        self._passwords = passwords
        self._sessions = sessions
        self._per_account = Limit("login account", settings.login_failures_per_account, MINUTE)
        self._per_address = Limit("login address", settings.login_failures_per_address, MINUTE)
        self._per_known = Limit("login known", settings.login_failures_per_account, MINUTE)

    async def sign_in(self, *, email: str, password: str, caller: Caller) -> TokenPair:
        """Return the first pair of a new session.

        Raises `InvalidCredentials` alike for an unknown address, a wrong password and an inactive user,
        `TooManyAttempts` and `PasswordsBusy`. No transaction is open while the password is hashed.
        """
        key = email_key(email)
        now = self._clock.now()
        async with self._database.control_scope(actor=SYSTEM, request_id=caller.request_id) as uow:
            account = await uow.one(CREDENTIALS, email_key=key, address=caller.address, known_since=now - _KNOWN_FOR)
            attempts = self._attempts(key, account, caller)
            wait = await take(uow, now, *attempts)
        refuse(wait)
        is_open = account is not None and account["is_active"]
        verdict = await self._passwords.verify(password, account["password_hash"] if account and is_open else None)
        if account is None or not verdict.is_right:
            raise InvalidCredentials
        return await self._start(account, verdict, attempts, caller)

    def _attempts(self, key: str, account: Row | None, caller: Caller) -> tuple[Attempt, ...]:
        whose = subscriber(caller.address)
        if account is not None and account["is_known_address"]:
            return (self._per_known.of(f"{key} {whose}"),)
        return (self._per_account.of(key), self._per_address.of(whose))

    async def _start(self, account: Row, verdict: Verdict, attempts: tuple[Attempt, ...], caller: Caller) -> TokenPair:
        user_id, stored = account["id"], account["password_hash"]
        actor = Actor(ActorKind.USER, user_id)
        async with self._database.control_scope(actor=actor, request_id=caller.request_id, user_id=user_id) as uow:
            if await uow.one(HOLD_CREDENTIALS, id=user_id, password_hash=stored) is None:
                raise InvalidCredentials
            pair = await self._sessions.start(uow, user_id, caller)
            if verdict.new_hash is not None:
                await uow.run(UPGRADE_HASH, user_id=user_id, old_hash=stored, new_hash=verdict.new_hash)
            await give_back(uow, *attempts)
        return pair
