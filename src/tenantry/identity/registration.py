"""How users come to be: by themselves, with an address to verify, or made by an administrator or the seed."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from tenantry.audit import record
from tenantry.database import UnitOfWork
from tenantry.identity.addresses import email_key, subscriber
from tenantry.identity.caller import Caller
from tenantry.identity.errors import InvalidOneTimeToken
from tenantry.identity.links import Purpose, issue, use
from tenantry.identity.mails import Courier, verification_mail
from tenantry.identity.passwords import Passwords
from tenantry.identity.profiles import Profile
from tenantry.identity.repository import INSERT_USER, VERIFY_EMAIL
from tenantry.identity.settings import IdentitySettings
from tenantry.identity.throttling import MINUTE, Limit, give_back, refuse, take
from tenantry.kernel import SYSTEM, Actor, ActorKind, new_id
from tenantry.runtime import Runtime


class Registration:
    """Makes users and verifies their e-mail addresses."""

    def __init__(self, runtime: Runtime, settings: IdentitySettings, *, passwords: Passwords, courier: Courier) -> None:
        self._database = runtime.database
        self._clock = runtime.clock
        self._facts = runtime.facts
        self._passwords = passwords
        self._courier = courier
        self._link = settings.verification_link
        self._lifetime = timedelta(hours=settings.verification_hours)
        self._per_address = Limit("register address", settings.registrations_per_address, MINUTE)
        self._links_per_address = Limit("verify address", settings.links_per_address, MINUTE)

    async def register(self, *, email: str, password: str, name: str, caller: Caller) -> Profile:
        """Make a user who is not verified yet, and mail the link for that.

        Raises `EmailTaken` for an address that is in use in any spelling, and `TooManyAttempts`.
        """
        attempt = self._per_address.of(subscriber(caller.address))
        async with self._database.control_scope(actor=SYSTEM, request_id=caller.request_id) as uow:
            wait = await take(uow, self._clock.now(), attempt)
        refuse(wait)
        password_hash = await self._passwords.hash(password)
        user_id = new_id()
        actor = Actor(ActorKind.USER, user_id)
        async with self._database.control_scope(actor=actor, request_id=caller.request_id) as uow:
            profile = await self._insert(uow, user_id, email=email, name=name, password_hash=password_hash)
            await record(uow, "users.registered", resource_type="user", resource_id=user_id)
            token = await issue(
                uow,
                Purpose.VERIFY_EMAIL,
                user_id=user_id,
                email_key=email_key(email),
                now=self._clock.now(),
                lifetime=self._lifetime,
            )
            uow.after_commit(lambda: self._courier.send_soon(verification_mail(email, token, self._link)))
        return profile

    async def create_user(
        self,
        *,
        email: str,
        password: str,
        name: str,
        is_verified: bool = True,
        platform_role: str | None = None,
        actor: Actor = SYSTEM,
    ) -> Profile:
        """Make a user without a mail: for the command line and the seed.

        Raises `EmailTaken`. `platform_role` is `superadmin` or None.
        """
        password_hash = await self._passwords.hash(password)
        user_id = new_id()
        async with self._database.control_scope(actor=actor) as uow:
            profile = await self._insert(
                uow,
                user_id,
                email=email,
                name=name,
                password_hash=password_hash,
                is_verified=is_verified,
                platform_role=platform_role,
            )
            await record(
                uow,
                "users.created",
                resource_type="user",
                resource_id=user_id,
                after={"is_verified": is_verified, "platform_role": platform_role},
            )
        return profile

    async def verify_email(self, token: str, caller: Caller) -> None:
        """Use the link of the verification mail. Raises `InvalidOneTimeToken` and `TooManyAttempts`."""
        now = self._clock.now()
        attempt = self._links_per_address.of(subscriber(caller.address))
        user_id: UUID | None = None
        async with self._database.control_scope(actor=SYSTEM, request_id=caller.request_id) as uow:
            wait = await take(uow, now, attempt)
            if wait is None:
                user_id = await use(uow, token, Purpose.VERIFY_EMAIL, now)
            if user_id is not None:
                await uow.run(VERIFY_EMAIL, user_id=user_id, now=now)
                await give_back(uow, attempt)
                await record(uow, "users.email_verified", resource_type="user", resource_id=user_id)
                await self._facts.announce(uow, f"user:{user_id}")
        refuse(wait)
        if user_id is None:
            raise InvalidOneTimeToken

    async def _insert(
        self,
        uow: UnitOfWork,
        user_id: UUID,
        *,
        email: str,
        name: str,
        password_hash: str,
        is_verified: bool = False,
        platform_role: str | None = None,
    ) -> Profile:
        now = self._clock.now()
        row = await uow.one(
            INSERT_USER,
            id=user_id,
            email=email,
            email_key=email_key(email),
            name=name,
            password_hash=password_hash,
            email_verified_at=now if is_verified else None,
            platform_role=platform_role,
            now=now,
        )
        if row is None:
            raise LookupError("the INSERT returned no row")
        return Profile.of(row)
