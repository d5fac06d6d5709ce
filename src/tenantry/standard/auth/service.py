"""Signing up and in, and new passwords: one answer, in one time, for everything that is wrong.

No transaction is open while a password is hashed; what limits an attempt is committed before it is refused.
"""

from __future__ import annotations

from datetime import timedelta

from tenantry.audit import record
from tenantry.database import Row, UnitOfWork
from tenantry.identity import (
    Attempt,
    Caller,
    EndReason,
    IdentityService,
    InvalidCredentials,
    Limit,
    PasswordCheck,
    Purpose,
    TokenPair,
    admit,
    email_key,
    give_back,
    subscriber,
    user_key,
)
from tenantry.kernel import new_id
from tenantry.standard.auth.repository import CREDENTIALS, HOLD_CREDENTIALS, SET_PASSWORD, UPGRADE_HASH, VERIFY_EMAIL
from tenantry.standard.users import UserRead, insert_user

_KNOWN_FOR = timedelta(days=90)
"""For how long an address counts as one that the account is used from."""


class Auth:
    """Registration, signing in, and new passwords.

    Of signing in only failures are limited: what was counted before the password is verified is given back when it is
    right. An address that the account was used from has a count of its own, so that somebody who tries passwords from
    elsewhere cannot lock the owner out.
    """

    def __init__(self, identity: IdentityService) -> None:
        self._identity = identity
        self._runtime = identity.runtime
        limits = identity.settings
        self._registrations = Limit("register address", limits.registrations_per_address)
        self._verifications = Limit("verify address", limits.links_per_address)
        self._logins_of_account = Limit("login account", limits.login_failures_per_account)
        self._logins_from_address = Limit("login address", limits.login_failures_per_address)
        self._logins_from_known = Limit("login known", limits.login_failures_per_account)
        self._resets_of_account = Limit("reset account", limits.resets_per_account, timedelta(hours=1))
        self._resets_from_address = Limit("reset address", limits.links_per_address)
        self._new_passwords = Limit("reset confirm address", limits.links_per_address)

    async def register(self, *, email: str, password: str, name: str, caller: Caller) -> UserRead:
        """Make a user who is not verified yet, and mail the link for that.

        Raises `EmailTaken` for an address that is in use in any spelling, and `TooManyAttempts`.
        """
        await admit(self._runtime, caller, self._registrations.of(subscriber(caller.address)))
        password_hash = await self._identity.passwords.hash(password)
        user_id = new_id()
        async with caller.work(self._runtime.database, user_id) as uow:
            user = await insert_user(
                uow, user_id, email=email, name=name, password_hash=password_hash, now=self._runtime.clock.now()
            )
            await record(uow, "users.registered", resource_type="user", resource_id=user_id)
            await self._identity.links.mail(uow, Purpose.VERIFY_EMAIL, user_id, email)
        return user

    async def verify_email(self, token: str, caller: Caller) -> None:
        """Use the link of the verification mail. Raises `InvalidOneTimeToken` and `TooManyAttempts`."""
        attempt = self._verifications.of(subscriber(caller.address))
        await admit(self._runtime, caller, attempt)
        async with caller.work(self._runtime.database) as uow:
            user_id = await self._identity.links.use(uow, token, Purpose.VERIFY_EMAIL)
            await uow.run(VERIFY_EMAIL, user_id=user_id, now=self._runtime.clock.now())
            await give_back(uow, attempt)
            await record(uow, "users.email_verified", resource_type="user", resource_id=user_id)
            await self._runtime.facts.announce(uow, user_key(user_id))

    async def sign_in(self, *, email: str, password: str, caller: Caller) -> TokenPair:
        """Return the first pair of a new session.

        Raises `InvalidCredentials` alike for an unknown address, a wrong password and an inactive user,
        `TooManyAttempts` and `PasswordsBusy`.
        """
        key = email_key(email)
        async with caller.work(self._runtime.database) as uow:
            account = await self._account(uow, key, caller)
        attempts = self._logins(key, account, caller)
        await admit(self._runtime, caller, *attempts)
        is_open = account is not None and account["is_active"]
        check = await self._identity.passwords.verify(
            password, account["password_hash"] if account and is_open else None
        )
        if account is None or not check.is_right:
            raise InvalidCredentials
        return await self._start(account, check, attempts, caller)

    async def request_new_password(self, email: str, caller: Caller) -> None:
        """Mail a link, if there is an active account; what the caller sees is the same if not, and takes as long.

        Raises `TooManyAttempts`.
        """
        key = email_key(email)
        by_address = self._resets_from_address.of(subscriber(caller.address))
        await admit(self._runtime, caller, self._resets_of_account.of(key), by_address)
        self._runtime.courier.run_soon(self._mail_reset(key, caller))

    async def set_new_password(self, token: str, password: str, caller: Caller) -> None:
        """Set the new password, end every session, and count the address as verified.

        Raises `InvalidOneTimeToken`, `TooManyAttempts` and `PasswordsBusy`; the link survives the last two.
        """
        attempt = self._new_passwords.of(subscriber(caller.address))
        await admit(self._runtime, caller, attempt)
        password_hash = await self._identity.passwords.hash(password)
        async with caller.work(self._runtime.database) as uow:
            user_id = await self._identity.links.use(uow, token, Purpose.PASSWORD_RESET)
            await uow.run(SET_PASSWORD, user_id=user_id, password_hash=password_hash, now=self._runtime.clock.now())
            await self._identity.sessions.end_all(uow, user_id, EndReason.PASSWORD_RESET)
            await give_back(uow, attempt)
            await record(uow, "users.password_reset", resource_type="user", resource_id=user_id)
            await self._runtime.facts.announce(uow, user_key(user_id))

    async def _account(self, uow: UnitOfWork, key: str, caller: Caller) -> Row | None:
        since = self._runtime.clock.now() - _KNOWN_FOR
        return await uow.one(CREDENTIALS, email_key=key, address=caller.address, known_since=since)

    def _logins(self, key: str, account: Row | None, caller: Caller) -> tuple[Attempt, ...]:
        whose = subscriber(caller.address)
        if account is not None and account["is_known_address"]:
            return (self._logins_from_known.of(f"{key} {whose}"),)
        return (self._logins_of_account.of(key), self._logins_from_address.of(whose))

    async def _start(
        self, account: Row, check: PasswordCheck, attempts: tuple[Attempt, ...], caller: Caller
    ) -> TokenPair:
        user_id, stored = account["id"], account["password_hash"]
        async with caller.work(self._runtime.database, user_id) as uow:
            if await uow.one(HOLD_CREDENTIALS, id=user_id, password_hash=stored) is None:
                raise InvalidCredentials
            pair = await self._identity.sessions.start(uow, user_id, caller)
            if check.new_hash is not None:
                await uow.run(UPGRADE_HASH, user_id=user_id, old_hash=stored, new_hash=check.new_hash)
            await give_back(uow, *attempts)
        return pair

    async def _mail_reset(self, key: str, caller: Caller) -> None:
        """Mail the link to the registered address, not to the one that was typed."""
        async with caller.work(self._runtime.database) as uow:
            account = await self._account(uow, key, caller)
            if account is not None and account["is_active"]:
                await self._identity.links.mail(uow, Purpose.PASSWORD_RESET, account["id"], account["email"])
                await record(uow, "users.password_reset_requested", resource_type="user", resource_id=account["id"])
