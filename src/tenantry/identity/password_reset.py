"""A new password for somebody who can read mail at the account's address."""

from __future__ import annotations

from datetime import timedelta

from tenantry.audit import record
from tenantry.database import Row
from tenantry.identity.addresses import email_key, subscriber
from tenantry.identity.caller import Caller
from tenantry.identity.errors import InvalidOneTimeToken
from tenantry.identity.links import Purpose, issue, use
from tenantry.identity.mails import Courier, reset_mail
from tenantry.identity.passwords import Passwords
from tenantry.identity.repository import CREDENTIALS, SET_PASSWORD
from tenantry.identity.sessions import EndReason, Sessions
from tenantry.identity.settings import IdentitySettings
from tenantry.identity.throttling import HOUR, MINUTE, Limit, give_back, refuse, take
from tenantry.kernel import SYSTEM
from tenantry.runtime import Runtime


class PasswordReset:
    """Mails links for a new password, and takes the new password."""

    def __init__(
        self,
        runtime: Runtime,
        settings: IdentitySettings,
        *,
        passwords: Passwords,
        sessions: Sessions,
        courier: Courier,
    ) -> None:
        self._database = runtime.database
        self._clock = runtime.clock
        self._facts = runtime.facts
        self._passwords = passwords
        self._sessions = sessions
        self._courier = courier
        self._link = settings.reset_link
        self._lifetime = timedelta(minutes=settings.reset_minutes)
        self._per_account = Limit("reset account", settings.resets_per_account, HOUR)
        self._per_address = Limit("reset address", settings.links_per_address, MINUTE)
        self._uses_per_address = Limit("reset confirm address", settings.links_per_address, MINUTE)

    async def request(self, email: str, caller: Caller) -> None:
        """Mail a link, if there is an active account; what the caller sees is the same if not, and takes as long.

        Raises `TooManyAttempts`.
        """
        key = email_key(email)
        now = self._clock.now()
        async with self._database.control_scope(actor=SYSTEM, request_id=caller.request_id) as uow:
            account = await uow.one(CREDENTIALS, email_key=key, address=None, known_since=now)
            wait = await take(uow, now, self._per_account.of(key), self._per_address.of(subscriber(caller.address)))
        refuse(wait)
        self._courier.run_soon(self._mail_link(account, key, caller))

    async def confirm(self, token: str, password: str, caller: Caller) -> None:
        """Set the new password, end every session, and count the address as verified.

        Raises `InvalidOneTimeToken`, `TooManyAttempts` and `PasswordsBusy`; the link survives the last two.
        """
        attempt = self._uses_per_address.of(subscriber(caller.address))
        async with self._database.control_scope(actor=SYSTEM, request_id=caller.request_id) as uow:
            wait = await take(uow, self._clock.now(), attempt)
        refuse(wait)
        password_hash = await self._passwords.hash(password)
        now = self._clock.now()
        async with self._database.control_scope(actor=SYSTEM, request_id=caller.request_id) as uow:
            user_id = await use(uow, token, Purpose.PASSWORD_RESET, now)
            if user_id is None:
                raise InvalidOneTimeToken
            await uow.run(SET_PASSWORD, user_id=user_id, password_hash=password_hash, now=now)
            await self._sessions.end_all(uow, user_id, EndReason.PASSWORD_RESET)
            await give_back(uow, attempt)
            await record(uow, "users.password_reset", resource_type="user", resource_id=user_id)
            await self._facts.announce(uow, f"user:{user_id}")

    async def _mail_link(self, account: Row | None, key: str, caller: Caller) -> None:
        if account is None or not account["is_active"]:
            return
        user_id, email = account["id"], account["email"]
        async with self._database.control_scope(actor=SYSTEM, request_id=caller.request_id) as uow:
            token = await issue(
                uow,
                Purpose.PASSWORD_RESET,
                user_id=user_id,
                email_key=key,
                now=self._clock.now(),
                lifetime=self._lifetime,
            )
            await record(uow, "users.password_reset_requested", resource_type="user", resource_id=user_id)
            uow.after_commit(lambda: self._courier.send_soon(reset_mail(email, token, self._link)))
