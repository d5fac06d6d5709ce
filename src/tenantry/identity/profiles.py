"""People as they and the platform administrators see them: read, change, remove."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tenantry.audit import MASK, record
from tenantry.database import Row, UnitOfWork
from tenantry.http import require_version
from tenantry.identity.addresses import email_key
from tenantry.identity.authenticator import Identity
from tenantry.identity.caller import Caller
from tenantry.identity.errors import NotPlatformAdmin, UserNotFound
from tenantry.identity.links import Purpose, issue
from tenantry.identity.mails import Courier, verification_mail
from tenantry.identity.models import SUPERADMIN
from tenantry.identity.passwords import UNUSABLE
from tenantry.identity.repository import (
    BLANK_SESSIONS,
    BLANK_USER,
    DELETE_LINKS,
    LOCK_USER,
    UPDATE_USER,
    USER_BY_ID,
)
from tenantry.identity.sessions import EndReason, Sessions
from tenantry.identity.settings import IdentitySettings
from tenantry.kernel import Actor, ActorKind, UserId
from tenantry.runtime import Runtime

REMOVED_NAME = "Deleted user"
_OWN_FIELDS = frozenset({"name"})
_PERSONAL = frozenset({"name", "email"})


@dataclass(frozen=True, slots=True)
class Profile:
    """A user without any secret."""

    id: UUID
    email: str
    name: str
    is_active: bool
    email_verified_at: datetime | None
    platform_role: str | None
    created_at: datetime
    updated_at: datetime
    version: int

    @classmethod
    def of(cls, row: Row) -> Profile:
        """Return the profile in a row of the profile's columns."""
        return cls(**row)


LeaveTenants = Callable[[UserId], Awaitable[None]]
"""Takes a user out of every tenant; raises its own 409 where one would be left without an owner."""


class Profiles:
    """Reading and changing users: oneself, or anybody for the platform administrator. For others, nobody is there."""

    def __init__(
        self,
        runtime: Runtime,
        settings: IdentitySettings,
        *,
        sessions: Sessions,
        courier: Courier,
        leave_tenants: LeaveTenants,
    ) -> None:
        self._database = runtime.database
        self._clock = runtime.clock
        self._facts = runtime.facts
        self._sessions = sessions
        self._courier = courier
        self._leave_tenants = leave_tenants
        self._link = settings.verification_link
        self._lifetime = timedelta(hours=settings.verification_hours)

    async def read(self, identity: Identity, user_id: UUID) -> Profile:
        """Return a user. Raises `UserNotFound`, also for one that exists but is somebody else."""
        _require_access(identity, user_id)
        async with self._scope(identity, Caller()) as uow:
            return _found(await uow.one(USER_BY_ID, id=user_id))

    async def change(
        self,
        identity: Identity,
        user_id: UUID,
        changes: Mapping[str, Any],
        *,
        caller: Caller,
        expected_version: int | None = None,
    ) -> Profile:
        """Change `name`, or as platform administrator also `email` and `is_active`; return the user.

        A new e-mail address has to be verified again, by the mail that is sent to it; a deactivated user's sessions
        end.
        Raises `UserNotFound`, `NotPlatformAdmin`, `StaleVersion` and `EmailTaken`.
        """
        _require_access(identity, user_id)
        if not changes.keys() <= _OWN_FIELDS:
            require_admin(identity)
        async with self._scope(identity, caller) as uow:
            before = _found(await uow.one(LOCK_USER, id=user_id))
            require_version(before.version, expected_version)
            changed = {name: value for name, value in changes.items() if getattr(before, name) != value}
            if not changed:
                return before
            return await self._write(uow, before, changed)

    async def remove(self, identity: Identity, user_id: UUID, caller: Caller) -> None:
        """Deactivate a user for good, end the sessions, and blank what is personal; the e-mail address is free again.

        The row stays, because others' rows name its id as author. Raises `UserNotFound`, and what `leave_tenants`
        raises for a user whom a tenant cannot do without.
        """
        _require_access(identity, user_id)
        async with self._scope(identity, caller) as uow:
            _found(await uow.one(USER_BY_ID, id=user_id))
        await self._leave_tenants(UserId(user_id))
        async with self._scope(identity, caller) as uow:
            _found(await uow.one(LOCK_USER, id=user_id))
            nobody = f"{user_id.hex}@deleted.invalid"
            await uow.run(
                BLANK_USER,
                user_id=user_id,
                email=nobody,
                email_key=nobody,
                name=REMOVED_NAME,
                password_hash=UNUSABLE,
                now=self._clock.now(),
            )
            await uow.run(DELETE_LINKS, user_id=user_id)
            await self._sessions.end_all(uow, user_id, EndReason.DELETED)
            await uow.run(BLANK_SESSIONS, owner_id=user_id)
            await record(uow, "users.deleted", resource_type="user", resource_id=user_id)
            await self._facts.announce(uow, f"user:{user_id}")

    async def _write(self, uow: UnitOfWork, before: Profile, changed: Mapping[str, Any]) -> Profile:
        now = self._clock.now()
        email = changed.get("email", before.email)
        row = await uow.one(
            UPDATE_USER,
            user_id=before.id,
            email=email,
            email_key=email_key(email),
            name=changed.get("name", before.name),
            is_active=changed.get("is_active", before.is_active),
            email_verified_at=None if "email" in changed else before.email_verified_at,
            now=now,
        )
        if "email" in changed:
            token = await issue(
                uow,
                Purpose.VERIFY_EMAIL,
                user_id=before.id,
                email_key=email_key(email),
                now=now,
                lifetime=self._lifetime,
            )
            uow.after_commit(lambda: self._courier.send_soon(verification_mail(email, token, self._link)))
        if changed.get("is_active") is False:
            await self._sessions.end_all(uow, before.id, EndReason.DEACTIVATED)
        await record(
            uow,
            "users.updated",
            resource_type="user",
            resource_id=before.id,
            before={name: _shown(name, getattr(before, name)) for name in changed},
            after={name: _shown(name, value) for name, value in changed.items()},
        )
        await self._facts.announce(uow, f"user:{before.id}")
        return _found(row)

    def _scope(self, identity: Identity, caller: Caller) -> UnitOfWork:
        actor = Actor(ActorKind.USER, identity.user_id)
        return self._database.control_scope(actor=actor, request_id=caller.request_id, user_id=identity.user_id)


def require_admin(identity: Identity) -> None:
    """Raise `NotPlatformAdmin` unless the person administers the platform."""
    if identity.platform_role != SUPERADMIN:
        raise NotPlatformAdmin


def _require_access(identity: Identity, user_id: UUID) -> None:
    if user_id != identity.user_id and identity.platform_role != SUPERADMIN:
        raise UserNotFound


def _found(row: Row | None) -> Profile:
    if row is None:
        raise UserNotFound
    return Profile.of(row)


def _shown(name: str, value: Any) -> Any:
    """What the trail says: it cannot be changed later, so it holds nothing personal that would have to be erased."""
    return MASK if name in _PERSONAL else value
