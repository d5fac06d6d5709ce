"""Platform administration: every tenant, and nothing that is inside of one. Each call leaves a line with its reason."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tenantry.audit import record
from tenantry.database import PlacementKind, UnitOfWork
from tenantry.kernel import Actor, ExpectedVersion, TenantId, TenantryError
from tenantry.query import ListPage, ListRequest
from tenantry.resources import Idempotency
from tenantry.runtime import Runtime
from tenantry.standard.tenants.repository import (
    ALL_SLUGS,
    ALL_TENANTS,
    COUNT_BY_STATUS,
    COUNT_PEOPLE,
    RELEASE_SLUG,
    statements_of,
)
from tenantry.standard.tenants.schemas import PlatformStatsRead, TenantRead
from tenantry.standard.tenants.service import Founding, Tenants, change_tenant, found
from tenantry.tenancy import SlugNotFound, TenantNotReady, TenantStatus

_BY_ID = statements_of(TenantRead).by_id
_SUSPENDED = "platform.tenant_suspended"
_RESUMED = "platform.tenant_resumed"


@dataclass(frozen=True, slots=True)
class PlatformCall:
    """Who administers, and why."""

    actor: Actor
    reason: str
    request_id: str | None = None


class PlatformTenants:
    """What a platform administrator does with tenants."""

    def __init__(self, runtime: Runtime, tenants: Tenants) -> None:
        self._database = runtime.database
        self._facts = runtime.facts
        self._tenants = tenants

    async def list(self, call: PlatformCall, request: ListRequest) -> ListPage:
        """Return a page of all tenants."""
        async with self._scope(call) as uow:
            await _note(uow, "platform.tenants_listed", call)
            return await ALL_TENANTS.read(uow, request)

    async def read(self, call: PlatformCall, tenant_id: UUID) -> TenantRead:
        """Return a tenant. Raises `TenantNotFound`."""
        async with self._scope(call) as uow:
            await _note(uow, "platform.tenant_read", call, tenant_id)
            row = await uow.one(_BY_ID, tenant_id=tenant_id)
        return found(row)  # after the commit: that somebody looked is in the trail, whether there was anything or not

    async def create(
        self,
        call: PlatformCall,
        name: str,
        slug: str,
        *,
        owner_id: UUID | None = None,
        placement: PlacementKind | None = None,
        idempotency: Idempotency | None = None,
    ) -> TenantRead:
        """Found a tenant; without `owner_id` the administrator becomes its owner, like anybody who founds one."""
        founding = Founding(
            name=name,
            slug=slug,
            owner_id=owner_id or _person(call.actor),
            actor=call.actor,
            request_id=call.request_id,
            placement=placement,
            is_platform=True,
            reason=call.reason,
        )
        async with self._noting_failure(call, "platform.tenant_created"):
            return await self._tenants.create(founding, idempotency)

    async def change(
        self,
        call: PlatformCall,
        tenant_id: UUID,
        changes: Mapping[str, Any],
        *,
        expected_version: ExpectedVersion = None,
    ) -> TenantRead:
        """Change `name`, `slug` or `config`. Raises `TenantNotFound`, `SlugTaken` and `StaleVersion`."""
        action = "platform.tenant_updated"
        async with self._noting_failure(call, action, tenant_id), self._scope(call) as uow:
            return await change_tenant(
                uow,
                self._facts.announce,
                tenant_id,
                changes,
                expected_version=expected_version,
                action=action,
                reason=call.reason,
            )

    async def suspend(self, call: PlatformCall, tenant_id: UUID) -> TenantRead:
        """Let nobody work in a tenant until it is resumed; nothing of it is lost.

        Raises `TenantNotFound`, and `TenantNotReady` while it is being prepared.
        """
        async with self._noting_failure(call, _SUSPENDED, tenant_id), self._scope(call) as uow:
            if found(await uow.one(_BY_ID, tenant_id=tenant_id)).status == TenantStatus.PREPARING:
                raise TenantNotReady(retry_after=5)
            return await self._move(uow, call, tenant_id, TenantStatus.SUSPENDED)

    async def resume(self, call: PlatformCall, tenant_id: UUID) -> TenantRead:
        """Open a suspended tenant again, or finish one whose preparation was interrupted.

        Raises `TenantNotFound` and `PlacementFailed`.
        """
        async with self._noting_failure(call, _RESUMED, tenant_id):
            async with self._scope(call) as uow:
                tenant = found(await uow.one(_BY_ID, tenant_id=tenant_id))
                if tenant.status != TenantStatus.PREPARING:
                    return await self._move(uow, call, tenant_id, TenantStatus.ACTIVE)
                await _note(uow, _RESUMED, call, tenant_id)
            return await self._tenants.finish(TenantId(tenant_id), actor=call.actor, request_id=call.request_id)

    async def slugs(self, call: PlatformCall, request: ListRequest) -> ListPage:
        """Return a page of all slugs that tenants have or had."""
        async with self._scope(call) as uow:
            await _note(uow, "platform.slugs_listed", call)
            return await ALL_SLUGS.read(uow, request)

    async def release_slug(self, call: PlatformCall, slug: str) -> None:
        """Let anybody have a slug that no tenant has any more. Raises `SlugNotFound`."""
        action = "platform.slug_released"
        async with self._noting_failure(call, action), self._scope(call) as uow:
            if not await uow.run(RELEASE_SLUG, slug=slug):
                raise SlugNotFound
            await _note(uow, action, call, slug=slug)

    async def stats(self, call: PlatformCall) -> PlatformStatsRead:
        """Return how many tenants there are in each state, and how many people belong to them."""
        async with self._scope(call) as uow:
            await _note(uow, "platform.stats_read", call)
            by_status = {row["status"]: row["number"] for row in await uow.all(COUNT_BY_STATUS)}
            row = await uow.one(COUNT_PEOPLE)
        return PlatformStatsRead(
            tenants={status.value: by_status.get(status.value, 0) for status in TenantStatus}, **(row or {})
        )

    async def _move(self, uow: UnitOfWork, call: PlatformCall, tenant_id: UUID, to: TenantStatus) -> TenantRead:
        action = _SUSPENDED if to is TenantStatus.SUSPENDED else _RESUMED
        return await change_tenant(
            uow, self._facts.announce, tenant_id, {"status": to.value}, action=action, reason=call.reason
        )

    @asynccontextmanager
    async def _noting_failure(
        self, call: PlatformCall, action: str, tenant_id: UUID | None = None
    ) -> AsyncIterator[None]:
        """Leave a line about a call that fails: what it did was rolled back, and its own line with it."""
        try:
            yield
        except TenantryError as error:
            async with self._scope(call) as uow:
                await _note(uow, "platform.call_failed", call, tenant_id, call=action, code=error.code)
            raise

    def _scope(self, call: PlatformCall) -> UnitOfWork:
        return self._database.platform_scope(actor=call.actor, request_id=call.request_id)


def _person(actor: Actor) -> UUID:
    if actor.id is None:
        raise ValueError("The application itself owns no tenant: name an owner.")
    return actor.id


async def _note(uow: UnitOfWork, action: str, by: PlatformCall, tenant_id: UUID | None = None, **further: str) -> None:
    await record(
        uow,
        action,
        resource_type="tenant",
        resource_id=tenant_id,
        tenant_id=tenant_id,
        after={"reason": by.reason, **further},
    )
