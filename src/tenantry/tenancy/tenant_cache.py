"""`TenantCache`: one thing that is remembered about every tenant."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar
from uuid import UUID

from tenantry.cache import FactCache
from tenantry.database import Database, UnitOfWork
from tenantry.kernel import SYSTEM

T = TypeVar("T")


class TenantCache(Generic[T]):
    """Something about each tenant, from the fact cache where it is known there.

    `key` names it in the cache and in announcements; `read` returns it as it is in a unit of work of the tenant.
    """

    def __init__(
        self,
        database: Database,
        facts: FactCache,
        key: Callable[[UUID], str],
        read: Callable[[UnitOfWork, UUID], Awaitable[T]],
    ) -> None:
        self._database = database
        self._facts = facts
        self._key = key
        self._read = read

    def peek(self, tenant_id: UUID) -> Any:
        """Return it without waiting, or `MISSING`."""
        return self._facts.peek(self._key(tenant_id))

    async def load(self, tenant_id: UUID) -> T:
        """Return it, from the database if need be."""
        found: T = await self._facts.load(self._key(tenant_id), lambda: self._read_now(tenant_id))
        return found

    async def _read_now(self, tenant_id: UUID) -> T:
        async with self._database.control_scope(actor=SYSTEM, tenant_id=tenant_id) as uow:
            return await self._read(uow, tenant_id)
