"""API keys: made by people, for themselves or for service accounts, and never able to do more than their maker."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tenantry.access import (
    ApiKey,
    ApiKeyNotFound,
    BeyondOwnPermissions,
    NewSecret,
    Principal,
    api_key_key,
    require_anywhere,
)
from tenantry.kernel import new_id
from tenantry.resources import ResourceDefinition, ResourceService, Write
from tenantry.standard.api_keys.errors import InvalidExpiry, TooManyKeys, UnknownServiceAccount
from tenantry.standard.api_keys.reach import KeyAccess, require_person
from tenantry.standard.api_keys.repository import COUNT_LIVE, HOLD_ACCOUNT, HOLD_MEMBER
from tenantry.standard.api_keys.schemas import ApiKeyRead
from tenantry.tenancy import NotAMember, lock_roles_shared

MAX_KEYS = 50
"""Keys that have not expired, for one member or service account."""

MAX_LIFETIME = timedelta(days=366)
"""How far ahead a key may expire; one that should live longer is replaced once a year, or says so by having no end."""

ACCESS = KeyAccess("api-keys", ApiKey, "api_key", not_found=ApiKeyNotFound)


class ApiKeyService(ResourceService):
    """The keys of one tenant."""

    resource = ResourceDefinition(ACCESS, read=ApiKeyRead)
    secret: NewSecret
    """The secret of the key that was made last: the only copy."""

    @classmethod
    def admit(cls, principal: Principal, verb: str) -> None:
        """Refuse whoever reaches no key at all."""
        require_anywhere(principal, ACCESS, verb)

    async def lock(self, verb: str, record_id: UUID | None) -> None:
        """Refuse keys, which would outlive themselves; let no role change its meaning while one limits a key."""
        require_person(self.principal)
        if verb == "create":
            await lock_roles_shared(self.uow, self.principal.tenant.id)

    async def values(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Refuse permissions that do not exist, pointing at each; return the columns, with a secret of its own."""
        key_id, named = new_id(), fields["permissions"]
        self.runtime.permissions.require_known(named or ())
        self.secret = NewSecret.of(self.principal.tenant.id, key_id)
        return fields | {
            "id": key_id,
            "user_id": self.principal.user_id if fields["service_account_id"] is None else None,
            "permissions": None if named is None else sorted(set(named)),
            "prefix": self.secret.prefix,
            "secret_hash": self.secret.secret_hash,
        }

    async def check_create(self, write: Write) -> None:
        """Refuse an end that is none, a scope beyond what its maker holds, and an account that is above them."""
        _require_expiry_ahead(write.values["expires_at"], self.runtime.clock.now())
        self._require_scope_within(write.values["permissions"] or ())
        roles = await self._hold_holder(write)
        if write.values["role"] is not None:
            roles.append(write.values["role"])
        if roles:
            await self.delegation.require_may_give(*roles)

    async def check_delete(self, write: Write) -> None:
        """Refuse nothing more: whoever reaches a key to delete it may take it, whatever it can do."""

    async def conflict(self, write: Write) -> None:
        """Refuse too many keys."""
        if write.verb == "create" and await self.uow.value(COUNT_LIVE, **self._holder(write)) >= MAX_KEYS:
            raise TooManyKeys(f"There are {MAX_KEYS} keys that have not expired; delete one that is not used.")

    def announced(self, write: Write, record_id: UUID) -> Iterable[str]:
        """A key that is gone: it is refused from now on, everywhere within a second."""
        return () if write.verb == "create" else (api_key_key(self.principal.tenant.id, record_id),)

    async def _hold_holder(self, write: Write) -> list[str]:
        """Lock whom the key will act for; return the roles that whoever makes it must be able to give for that."""
        holder = self._holder(write)
        if write.values["service_account_id"] is None:
            if await self.uow.one(HOLD_MEMBER, **holder) is None:
                raise NotAMember
            return []
        self.principal.require("service-accounts:manage")
        role = await self.uow.value(HOLD_ACCOUNT, **holder)
        if role is None:
            raise UnknownServiceAccount.at("/service_account_id")
        return [role]

    def _holder(self, write: Write) -> dict[str, Any]:
        return {
            "tenant_id": self.principal.tenant.id,
            "user_id": write.values["user_id"],
            "service_account_id": write.values["service_account_id"],
            "now": self.runtime.clock.now(),
        }

    def _require_scope_within(self, permissions: Iterable[str]) -> None:
        """Refuse what its maker does not hold."""
        for permission in sorted(self.runtime.permissions.expand(permissions)):
            if not self.principal.holds(permission):
                raise BeyondOwnPermissions(f"You do not hold the permission {permission}.")


def _require_expiry_ahead(expires_at: datetime | None, now: datetime) -> None:
    if expires_at is not None and not now < expires_at <= now + MAX_LIFETIME:
        raise InvalidExpiry.at("/expires_at", f"Choose a time in the future, at most {MAX_LIFETIME.days} days ahead")
