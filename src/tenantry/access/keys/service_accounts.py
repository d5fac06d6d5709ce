"""Service accounts: members that are no person. They hold a role, own what they create, and act by their keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tenantry.access.errors import ServiceAccountNotFound
from tenantry.access.keys.facts import api_key_key
from tenantry.access.keys.reach import require_person
from tenantry.access.keys.repository import (
    ACCOUNT_BY_ID,
    DELETE_ACCOUNT,
    HOLD_ACCOUNT,
    INSERT_ACCOUNT,
    KEYS_OF_ACCOUNT,
    SERVICE_ACCOUNTS,
    UPDATE_ACCOUNT,
)
from tenantry.access.principal import Principal
from tenantry.audit import record
from tenantry.database import Row, UnitOfWork
from tenantry.http import require_version
from tenantry.kernel import new_id
from tenantry.query import ListRequest
from tenantry.runtime import Runtime
from tenantry.tenancy import Acting, ListPage, RoleAuthority, share_holdings


@dataclass(frozen=True, slots=True)
class ServiceAccountRecord:
    """A service account, as the tenant sees it."""

    id: UUID
    name: str
    role: str
    created_by: UUID | None
    created_at: datetime
    updated_at: datetime
    version: int


class ServiceAccounts:
    """The service accounts of a tenant. Whoever makes or changes one must be able to give its role."""

    def __init__(self, runtime: Runtime, authority: RoleAuthority) -> None:
        self._database = runtime.database
        self._facts = runtime.facts
        self._authority = authority

    async def list(self, acting: Acting, request: ListRequest) -> ListPage:
        """Return a page of the service accounts."""
        async with self._scope(acting) as uow:
            return await SERVICE_ACCOUNTS.read(uow, request, tenant_id=acting.tenant_id)

    async def read(self, acting: Acting, account_id: UUID) -> ServiceAccountRecord:
        """Return a service account. Raises `ServiceAccountNotFound`."""
        async with self._scope(acting) as uow:
            return _found(await uow.one(ACCOUNT_BY_ID, tenant_id=acting.tenant_id, account_id=account_id))

    async def create(self, acting: Acting, principal: Principal, *, name: str, role: str) -> ServiceAccountRecord:
        """Make a service account.

        Raises `KeysNeedAPerson`, `UnknownRole`, `RoleAboveOwn` and `ServiceAccountNameTaken`.
        """
        require_person(principal)
        async with self._scope(acting) as uow:
            await self._authority.require_may_give(uow, acting, role)
            row = await uow.one(
                INSERT_ACCOUNT,
                tenant_id=acting.tenant_id,
                account_id=new_id(),
                name=name,
                role=role,
                created_by=principal.user_id,
            )
            account = _found(row)
            after = {"name": name, "role": role}
            await _record(uow, "service_accounts.created", account.id, after=after)
            return account

    async def change(
        self,
        acting: Acting,
        principal: Principal,
        account_id: UUID,
        changes: Mapping[str, str],
        *,
        expected_version: int | None = None,
    ) -> ServiceAccountRecord:
        """Change `name` or `role`; every key of the account follows at once, everywhere within a second.

        Raises as `create` does, and `ServiceAccountNotFound` and `StaleVersion`.
        """
        require_person(principal)
        async with self._scope(acting) as uow:
            before = await self._hold(uow, acting, account_id)
            changed = {name: value for name, value in changes.items() if getattr(before, name) != value}
            if "role" in changed:
                await self._authority.require_may_give(uow, acting, changed["role"])
            require_version(before.version, expected_version)
            if not changed:
                return before
            new = {"new_name": changed.get("name", before.name), "new_role": changed.get("role", before.role)}
            row = await uow.one(UPDATE_ACCOUNT, tenant_id=acting.tenant_id, account_id=account_id, **new)
            replaced = {name: getattr(before, name) for name in changed}
            await _record(uow, "service_accounts.changed", account_id, before=replaced, after=changed)
            await self._announce_keys(uow, acting, account_id)
            return _found(row)

    async def delete(
        self, acting: Acting, principal: Principal, account_id: UUID, *, expected_version: int | None = None
    ) -> None:
        """Delete a service account and its keys.

        Raises `KeysNeedAPerson`, `ServiceAccountNotFound`, `RoleAboveOwn` and `StaleVersion`.
        """
        require_person(principal)
        async with self._scope(acting) as uow:
            before = await self._hold(uow, acting, account_id)
            require_version(before.version, expected_version)
            await self._announce_keys(uow, acting, account_id)
            await uow.run(DELETE_ACCOUNT, tenant_id=acting.tenant_id, account_id=account_id)
            gone = {"name": before.name, "role": before.role}
            await _record(uow, "service_accounts.deleted", account_id, before=gone)

    async def _hold(self, uow: UnitOfWork, acting: Acting, account_id: UUID) -> ServiceAccountRecord:
        """Lock an account, and refuse to touch one that is above whoever acts."""
        await share_holdings(uow, acting.tenant_id)
        account = _found(await uow.one(HOLD_ACCOUNT, tenant_id=acting.tenant_id, account_id=account_id))
        await self._authority.require_may_take(uow, acting, account.role)
        return account

    async def _announce_keys(self, uow: UnitOfWork, acting: Acting, account_id: UUID) -> None:
        rows = await uow.all(KEYS_OF_ACCOUNT, tenant_id=acting.tenant_id, account_id=account_id)
        await self._facts.announce(uow, *(api_key_key(acting.tenant_id, row["id"]) for row in rows))

    def _scope(self, acting: Acting) -> UnitOfWork:
        return self._database.control_scope(
            actor=acting.actor, request_id=acting.request_id, tenant_id=acting.tenant_id
        )


def _found(row: Row | None) -> ServiceAccountRecord:
    if row is None:
        raise ServiceAccountNotFound
    return ServiceAccountRecord(**row)


async def _record(
    uow: UnitOfWork,
    action: str,
    account_id: UUID,
    *,
    before: Mapping[str, str] | None = None,
    after: Mapping[str, str] | None = None,
) -> None:
    await record(uow, action, resource_type="service_account", resource_id=account_id, before=before, after=after)
