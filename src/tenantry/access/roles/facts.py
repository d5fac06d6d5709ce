"""The roles of a tenant's own, as they are remembered between requests. Only whoever holds one asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tenantry.access.roles.repository import ALL_ROLES
from tenantry.cache import FactCache
from tenantry.database import Database, UnitOfWork
from tenantry.kernel import SYSTEM
from tenantry.runtime import PermissionMeanings


@dataclass(frozen=True, slots=True)
class RoleFacts:
    """A role: its subject id, the built-in role that it counts as, and the single permissions that it gives."""

    id: UUID
    name: str
    counts_as: str
    permissions: frozenset[str]


class RoleCache:
    """The roles of each tenant's own by name, from cached facts where they are known."""

    def __init__(self, database: Database, facts: FactCache, catalog: PermissionMeanings) -> None:
        self._database = database
        self._facts = facts
        self._catalog = catalog

    def peek(self, tenant_id: UUID) -> Any:
        """Return the tenant's roles by name, or `MISSING`."""
        return self._facts.peek(roles_key(tenant_id))

    async def load(self, tenant_id: UUID) -> Mapping[str, RoleFacts]:
        """Return the tenant's roles by name, from the database if need be."""
        return await self._facts.load(roles_key(tenant_id), lambda: self._read(tenant_id))

    async def _read(self, tenant_id: UUID) -> Mapping[str, RoleFacts]:
        async with self._database.control_scope(actor=SYSTEM, tenant_id=tenant_id) as uow:
            return await read_roles(uow, tenant_id, self._catalog)


async def read_roles(uow: UnitOfWork, tenant_id: UUID, catalog: PermissionMeanings) -> dict[str, RoleFacts]:
    """Return the tenant's roles by name, as they are now."""
    rows = await uow.all(ALL_ROLES, tenant_id=tenant_id)
    return {
        row["name"]: RoleFacts(row["id"], row["name"], row["counts_as"], catalog.expand(row["permissions"]))
        for row in rows
    }


def roles_key(tenant_id: UUID) -> str:
    """Return the key of the tenant's roles."""
    return f"roles:{tenant_id}"
