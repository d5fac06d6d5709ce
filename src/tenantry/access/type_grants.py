"""Grants on whole resources, as they are remembered between requests: they change what a role reaches, not which rows.

Only tenants that have any are asked for them (`ANY_TYPE` in `TenantFacts.granted`).
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tenantry.access.grant_facts import GrantFacts
from tenantry.access.repository import TYPE_GRANTS_OF_TENANT
from tenantry.cache import FactCache
from tenantry.database import Database, UnitOfWork
from tenantry.kernel import SYSTEM

ANY_TYPE = "*"
"""The mark in `TenantFacts.granted` of a tenant that has grants on whole resources."""


class TypeGrantCache:
    """The grants on whole resources of each tenant, from cached facts where they are known."""

    def __init__(self, database: Database, facts: FactCache) -> None:
        self._database = database
        self._facts = facts

    def peek(self, tenant_id: UUID) -> Any:
        """Return the tenant's grants as a tuple, or `MISSING`."""
        return self._facts.peek(type_grants_key(tenant_id))

    async def load(self, tenant_id: UUID) -> tuple[GrantFacts, ...]:
        """Return the tenant's grants, from the database if need be."""
        return await self._facts.load(type_grants_key(tenant_id), lambda: self._read(tenant_id))

    async def _read(self, tenant_id: UUID) -> tuple[GrantFacts, ...]:
        async with self._database.control_scope(actor=SYSTEM, tenant_id=tenant_id) as uow:
            return await read_type_grants(uow, tenant_id)


async def read_type_grants(uow: UnitOfWork, tenant_id: UUID) -> tuple[GrantFacts, ...]:
    """Return the tenant's grants on whole resources, expired ones too, as they are now."""
    return tuple(GrantFacts.of(row) for row in await uow.all(TYPE_GRANTS_OF_TENANT, tenant_id=tenant_id))


def type_grants_key(tenant_id: UUID) -> str:
    """Return the key of the tenant's grants on whole resources."""
    return f"typegrants:{tenant_id}"
