"""The rules of service accounts: whoever makes or changes one is a person, and must be able to give its role."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from tenantry.access import (
    KEYS_OF_ACCOUNTS,
    ResourceAccess,
    ServiceAccount,
    ServiceAccountNotFound,
    api_key_key,
)
from tenantry.kernel import ExpectedVersion
from tenantry.resources import Change, Rendered, ResourceDefinition, ResourceService, Write
from tenantry.standard.api_keys.reach import require_person
from tenantry.standard.service_accounts.schemas import ServiceAccountRead
from tenantry.tenancy import lock_roles_shared

ACCESS = ResourceAccess(
    "service-accounts",
    ServiceAccount,
    "service_account",
    permissions=dict.fromkeys(("create", "update", "delete"), "service-accounts:manage"),
    whole=True,
    not_found=ServiceAccountNotFound,
)


class ServiceAccountService(ResourceService):
    """The service accounts of one tenant."""

    resource = ResourceDefinition(ACCESS, read=ServiceAccountRead)
    _keys: tuple[UUID, ...] = ()

    async def lock(self, verb: str, record_id: UUID | None) -> None:
        """Refuse keys, which would lift themselves; let no role change its meaning."""
        require_person(self.principal)
        await lock_roles_shared(self.uow, self.principal.tenant.id)

    async def values(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Whoever gives the role answers for the account from now on."""
        return fields | (self._answering() if "role" in fields else {})

    async def take_over(self, record_id: UUID, *, expected: ExpectedVersion = None) -> Rendered:
        """Answer for an account, which is suspended no more. Raises as an update does, and `RoleAboveOwn`."""
        return await self._write(
            record_id, Change.SET, "update", "taken_over", values=self._answering(), expected=expected
        )

    async def check_create(self, write: Write) -> None:
        """Refuse a role that whoever acts could not give."""
        await self.delegation.require_may_give(write.values["role"])

    async def check_update(self, write: Write) -> None:
        """Refuse to touch an account that is above whoever acts, and to give it more than they could give."""
        await self._hold_keys(write)
        if write.changes("role"):
            await self.check_create(write)

    async def check_delete(self, write: Write) -> None:
        """Refuse to delete an account that is above whoever acts."""
        await self._hold_keys(write)

    def announced(self, write: Write, record_id: UUID) -> Iterable[str]:
        """Every key of the account: they follow at once."""
        return (api_key_key(self.principal.tenant.id, one) for one in self._keys)

    def action(self, happened: str) -> str:
        """The names that the trail has always had."""
        return f"service_accounts.{'changed' if happened == 'updated' else happened}"

    def _answering(self) -> dict[str, Any]:
        return {"sponsor_id": self.principal.holder_id, "suspended_at": None}

    async def _hold_keys(self, write: Write) -> None:
        """Ask whether the account may be touched, and note its keys, which may go with it."""
        await self.delegation.require_may_take(write.before["role"])
        found = {"tenant_id": self.principal.tenant.id, "account_ids": [write.before["id"]]}
        self._keys = tuple(row["id"] for row in await self.uow.all(KEYS_OF_ACCOUNTS, **found))
