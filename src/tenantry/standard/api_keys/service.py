"""API keys: made by people, for themselves or for service accounts, and never able to do more than their maker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from tenantry.access import (
    AccessContext,
    ApiKeyNotFound,
    BeyondOwnPermissions,
    NewSecret,
    NotPermitted,
    PermissionCatalog,
    Principal,
    RoleDelegation,
    api_key_key,
)
from tenantry.audit import record
from tenantry.database import Plane, Row, UnitOfWork
from tenantry.kernel import FieldError, new_id
from tenantry.query import ListPage, ListRequest
from tenantry.runtime import Runtime
from tenantry.standard.api_keys.errors import InvalidExpiry, TooManyKeys, UnknownServiceAccount
from tenantry.standard.api_keys.reach import KeysInReach, reach_of, require_person
from tenantry.standard.api_keys.repository import (
    API_KEYS,
    COUNT_LIVE,
    DELETE_KEY,
    HOLD_ACCOUNT,
    HOLD_MEMBER,
    INSERT_KEY,
    KEY_BY_ID,
)
from tenantry.tenancy import NotAMember, lock_roles_shared

MAX_KEYS = 50
"""Keys that have not expired, for one member or service account."""

MAX_LIFETIME = timedelta(days=366)
"""How far ahead a key may expire; one that should live longer is replaced once a year, or says so by having no end."""


@dataclass(frozen=True, slots=True)
class ApiKeyRecord:
    """A key, as those see it who may; without its secret, which nobody has but its holder."""

    id: UUID
    name: str
    prefix: str
    user_id: UUID | None
    service_account_id: UUID | None
    role: str | None
    permissions: list[str] | None
    created_by: UUID | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to be: limited to `permissions`, or to those of `role`, or to nothing but what whom it acts for may."""

    name: str
    permissions: Sequence[str] | None = None
    role: str | None = None
    expires_at: datetime | None = None
    service_account_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A key that was just made, with the only copy of its secret."""

    record: ApiKeyRecord
    secret: str = field(repr=False)


class ApiKeys:
    """The keys of a tenant. Every call says who acts."""

    def __init__(self, runtime: Runtime, catalog: PermissionCatalog, authority: RoleDelegation) -> None:
        self._database = runtime.database
        self._clock = runtime.clock
        self._facts = runtime.facts
        self._catalog = catalog
        self._authority = authority

    async def list(self, context: AccessContext, request: ListRequest) -> ListPage:
        """Return a page of the keys that the principal may see. Raises `NotPermitted`."""
        reach = reach_of(context.principal, "read")
        async with context.work(Plane.CONTROL) as uow:
            return await API_KEYS.read(uow, request, tenant_id=context.tenant_id, **reach.parameters)

    async def read(self, context: AccessContext, key_id: UUID) -> ApiKeyRecord:
        """Return a key. Raises `NotPermitted`, and `ApiKeyNotFound` also for one that they may not see."""
        reach = reach_of(context.principal, "read")
        async with context.work(Plane.CONTROL) as uow:
            return await _visible(uow, context, reach, key_id)

    async def create(self, context: AccessContext, new: NewKey) -> MadeKey:
        """Make a key.

        Raises `KeysNeedAPerson`, `UnknownPermission`, `UnknownRole`, `InvalidExpiry`, `BeyondOwnPermissions`,
        `RoleAboveOwn`, `UnknownServiceAccount` and `TooManyKeys`.
        """
        require_person(context.principal)
        now = self._clock.now()
        _require_expiry_ahead(new.expires_at, now)
        self._require_scope_within(context.principal, new.permissions or ())
        if new.service_account_id is not None:
            context.principal.require("service-accounts:manage")
        async with context.work(Plane.CONTROL) as uow:
            await lock_roles_shared(uow, context.tenant_id)
            await self._hold_holder(uow, context, new)
            if new.role is not None:
                await self._authority.require_may_give(uow, context.principal, new.role)
            return await self._insert(uow, context, new, now)

    async def delete(self, context: AccessContext, key_id: UUID) -> None:
        """Delete a key; it is refused from now on, everywhere within a second.

        Raises `KeysNeedAPerson`, `ApiKeyNotFound` and `NotPermitted`.
        """
        require_person(context.principal)
        visible, deletable = reach_of(context.principal, "read"), reach_of(context.principal, "delete")
        async with context.work(Plane.CONTROL) as uow:
            key = await _visible(uow, context, visible, key_id)
            if not deletable.covers(key.user_id, key.service_account_id):
                raise NotPermitted("This needs the permission api-keys:delete.", permission="api-keys:delete")
            if not await uow.run(DELETE_KEY, tenant_id=context.tenant_id, key_id=key_id):
                raise ApiKeyNotFound  # somebody else was faster
            await record(uow, "api_keys.deleted", resource_type="api_key", resource_id=key_id, before=_audited(key))
            await self._facts.announce(uow, api_key_key(context.tenant_id, key_id))

    async def _hold_holder(self, uow: UnitOfWork, context: AccessContext, new: NewKey) -> None:
        """Lock whom the key will act for, and refuse an account that is above whoever makes the key."""
        if new.service_account_id is None:
            if await uow.one(HOLD_MEMBER, tenant_id=context.tenant_id, user_id=context.principal.user_id) is None:
                raise NotAMember
            return
        account = await uow.one(HOLD_ACCOUNT, tenant_id=context.tenant_id, account_id=new.service_account_id)
        if account is None:
            field = FieldError("/service_account_id", UnknownServiceAccount.title, UnknownServiceAccount.code)
            raise UnknownServiceAccount(errors=[field])
        await self._authority.require_may_give(uow, context.principal, account["role"])

    async def _insert(self, uow: UnitOfWork, context: AccessContext, new: NewKey, now: datetime) -> MadeKey:
        user_id = context.principal.user_id if new.service_account_id is None else None
        holder = {"user_id": user_id, "service_account_id": new.service_account_id}
        if await uow.value(COUNT_LIVE, tenant_id=context.tenant_id, now=now, **holder) >= MAX_KEYS:
            raise TooManyKeys(f"There are {MAX_KEYS} keys that have not expired; delete one that is not used.")
        key_id = new_id()
        secret = NewSecret.of(context.tenant_id, key_id)
        row = await uow.exactly_one(
            INSERT_KEY,
            tenant_id=context.tenant_id,
            key_id=key_id,
            name=new.name,
            role=new.role,
            permissions=None if new.permissions is None else sorted(set(new.permissions)),
            prefix=secret.prefix,
            secret_hash=secret.secret_hash,
            created_by=context.principal.user_id,
            now=now,
            expires_at=new.expires_at,
            **holder,
        )
        key = _record_of(row)
        await record(uow, "api_keys.created", resource_type="api_key", resource_id=key_id, after=_audited(key))
        return MadeKey(key, secret.text)

    def _require_scope_within(self, principal: Principal, permissions: Sequence[str]) -> None:
        """Refuse what does not exist, all of it named, then what the principal does not hold."""
        self._catalog.require_known(permissions)
        for permission in sorted(self._catalog.expand(permissions)):
            if not principal.holds(permission):
                raise BeyondOwnPermissions(f"You do not hold the permission {permission}.")


async def _visible(uow: UnitOfWork, context: AccessContext, reach: KeysInReach, key_id: UUID) -> ApiKeyRecord:
    row = await uow.one(KEY_BY_ID, tenant_id=context.tenant_id, key_id=key_id, **reach.parameters)
    if row is None:
        raise ApiKeyNotFound
    return _record_of(row)


def _record_of(row: Row) -> ApiKeyRecord:
    return ApiKeyRecord(**row)


def _require_expiry_ahead(expires_at: datetime | None, now: datetime) -> None:
    if expires_at is not None and not now < expires_at <= now + MAX_LIFETIME:
        message = f"Choose a time in the future, at most {MAX_LIFETIME.days} days ahead"
        raise InvalidExpiry(errors=[FieldError("/expires_at", message, InvalidExpiry.code)])


def _audited(key: ApiKeyRecord) -> dict[str, object]:
    """What the trail says about a key: whom it acts for and how far, and nothing of its secret."""
    return {
        "name": key.name,
        "prefix": key.prefix,
        "user_id": key.user_id and str(key.user_id),
        "service_account_id": key.service_account_id and str(key.service_account_id),
        "role": key.role,
        "permissions": key.permissions,
        "expires_at": key.expires_at and key.expires_at.isoformat(),
    }
