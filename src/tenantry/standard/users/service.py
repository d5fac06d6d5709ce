"""Users: made by an administrator or the seed; read, changed and removed by themselves or the platform."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from tenantry.audit import record, shown
from tenantry.database import Row, UnitOfWork
from tenantry.identity import (
    UNUSABLE_PASSWORD,
    Caller,
    EndReason,
    Identity,
    IdentityService,
    NotPlatformAdmin,
    Purpose,
    User,
    UserNotFound,
    email_key,
    user_key,
)
from tenantry.kernel import ExpectedVersion, UserId, new_id, require_version
from tenantry.standard.users.repository import blank_user, statements_of
from tenantry.standard.users.schemas import UserRead, UserSchemas

REMOVED_NAME = "Deleted user"
_PLAIN = UserSchemas()

LeaveTenants = Callable[[UserId], Awaitable[None]]
"""Takes a user out of every tenant; raises its own 409 where one would be left without an owner."""


class Users:
    """Reading and changing users: oneself, or anybody for the platform administrator. For others, nobody is there."""

    def __init__(self, identity: IdentityService, leave_tenants: LeaveTenants) -> None:
        self._identity = identity
        self._database = identity.runtime.database
        self._clock = identity.runtime.clock
        self._facts = identity.runtime.facts
        self._leave_tenants = leave_tenants

    async def create(
        self, *, email: str, password: str, name: str, is_verified: bool = True, platform_role: str | None = None
    ) -> UserRead:
        """Make a user without a mail: for the command line and the seed.

        Raises `EmailTaken`. `platform_role` is `superadmin` or None.
        """
        password_hash = await self._identity.passwords.hash(password)
        now = self._clock.now()
        async with Caller().work(self._database) as uow:
            user = await insert_user(
                uow,
                new_id(),
                email=email,
                name=name,
                password_hash=password_hash,
                now=now,
                verified_at=now if is_verified else None,
                platform_role=platform_role,
            )
            after = {"is_verified": is_verified, "platform_role": platform_role}
            await record(uow, "users.created", resource_type="user", resource_id=user.id, after=after)
        return user

    async def read(self, identity: Identity, user_id: UUID, schemas: UserSchemas = _PLAIN) -> UserRead:
        """Return a user. Raises `UserNotFound`, also for one that exists but is somebody else."""
        _require_reach(identity, user_id)
        async with Caller().work(self._database, identity.user_id) as uow:
            return _found(await uow.one(statements_of(schemas.read).by_id, user_id=user_id), schemas)

    async def change(
        self,
        identity: Identity,
        user_id: UUID,
        changes: Mapping[str, Any],
        caller: Caller,
        expected_version: ExpectedVersion = None,
        schemas: UserSchemas = _PLAIN,
    ) -> UserRead:
        """Change what is one's own to change, or as platform administrator also `email` and `is_active`.

        A new e-mail address has to be verified again, by the mail that is sent to it; a deactivated user's sessions
        end.
        Raises `UserNotFound`, `NotPlatformAdmin`, `StaleVersion` and `EmailTaken`.
        """
        _require_reach(identity, user_id)
        if not changes.keys() <= schemas.own_fields and not identity.is_platform_admin:
            raise NotPlatformAdmin
        async with caller.work(self._database, identity.user_id) as uow:
            before = await _hold(uow, user_id, schemas)
            require_version("user", before.version, expected_version)
            changed = {name: value for name, value in changes.items() if getattr(before, name) != value}
            return await self._write(uow, before, changed, schemas) if changed else before

    async def remove(self, identity: Identity, user_id: UUID, caller: Caller) -> None:
        """Deactivate a user for good, end the sessions, and blank what is personal; the e-mail address is free again.

        The row stays, because others' rows name its id as author. Raises `UserNotFound`, and what `leave_tenants`
        raises for a user whom a tenant cannot do without.
        """
        await self.read(identity, user_id)
        await self._leave_tenants(UserId(user_id))
        async with caller.work(self._database, identity.user_id) as uow:
            await _hold(uow, user_id)
            nobody = {"email": f"{user_id.hex}@deleted.invalid", "email_key": f"{user_id.hex}@deleted.invalid"}
            blank = {"name": REMOVED_NAME, "password_hash": UNUSABLE_PASSWORD, "now": self._clock.now()}
            await uow.run(blank_user(), user_id=user_id, **nobody, **blank)
            await self._identity.forget(uow, user_id)
            await record(uow, "users.deleted", resource_type="user", resource_id=user_id)
            await self._facts.announce(uow, user_key(user_id))

    async def _write(
        self, uow: UnitOfWork, before: UserRead, changed: Mapping[str, Any], schemas: UserSchemas
    ) -> UserRead:
        values = dict(changed)
        if "email" in changed:
            values |= {"email_key": email_key(changed["email"]), "email_verified_at": None}
            await self._identity.links.mail(uow, Purpose.VERIFY_EMAIL, before.id, changed["email"])
        statement = statements_of(schemas.read).update(values)
        row = await uow.exactly_one(statement, user_id=before.id, now=self._clock.now(), **values)
        if changed.get("is_active") is False:
            await self._identity.sessions.end_all(uow, before.id, EndReason.DEACTIVATED)
        await record(
            uow,
            "users.updated",
            resource_type="user",
            resource_id=before.id,
            before=shown(User, {name: getattr(before, name) for name in changed}),
            after=shown(User, changed),
        )
        await self._facts.announce(uow, user_key(before.id))
        return _found(row, schemas)


async def insert_user(
    uow: UnitOfWork,
    user_id: UUID,
    *,
    email: str,
    name: str,
    password_hash: str,
    now: datetime,
    verified_at: datetime | None = None,
    platform_role: str | None = None,
) -> UserRead:
    """Write a new user, without a line of the trail. Raises `EmailTaken` for an address in use in any spelling."""
    row = await uow.exactly_one(
        statements_of(UserRead).insert,
        id=user_id,
        email=email,
        email_key=email_key(email),
        name=name,
        password_hash=password_hash,
        email_verified_at=verified_at,
        platform_role=platform_role,
        now=now,
    )
    return UserRead.model_validate(dict(row))


async def _hold(uow: UnitOfWork, user_id: UUID, schemas: UserSchemas = _PLAIN) -> UserRead:
    return _found(await uow.one(statements_of(schemas.read).lock, user_id=user_id), schemas)


def _found(row: Row | None, schemas: UserSchemas) -> UserRead:
    if row is None:
        raise UserNotFound
    return schemas.read.model_validate(dict(row))


def _require_reach(identity: Identity, user_id: UUID) -> None:
    if user_id != identity.user_id and not identity.is_platform_admin:
        raise UserNotFound
