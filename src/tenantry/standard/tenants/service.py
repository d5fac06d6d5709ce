"""Tenants: founding them, and changing what they are called and how they are set up."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog

from tenantry.access import AccessContext
from tenantry.audit import record, shown
from tenantry.database import Placement, PlacementKind, Row, UnitOfWork
from tenantry.kernel import Actor, ActorKind, ExpectedVersion, TenantId, new_id, require_version
from tenantry.query import ListPage, ListRequest
from tenantry.resources import Answer, Idempotency
from tenantry.runtime import Runtime
from tenantry.standard.tenants.repository import (
    DELETE_UNPREPARED,
    HOLD_SLUG,
    OWN_TENANTS,
    RELEASE_SLUGS_OF,
    statements_of,
)
from tenantry.standard.tenants.schemas import TenantRead, TenantSchemas
from tenantry.tenancy import (
    INSERT_MEMBER,
    PlacementFailed,
    Role,
    SlugReserved,
    SlugTaken,
    TenancySettings,
    Tenant,
    TenantNotFound,
    TenantStatus,
    keys_of_members,
    slug_key,
    tenant_key,
)

PreparePlacement = Callable[[Placement], Awaitable[None]]
"""Makes the schema of a placement and migrates it; may be repeated. Raises where it cannot."""

_PLAIN = TenantSchemas()

_log = structlog.get_logger("tenantry.tenancy")


@dataclass(frozen=True, slots=True)
class Founding:
    """A tenant to be: its name and slug, who will own it, and who says so.

    `is_platform` lets it have a slug that is reserved for the platform; `reason` goes into the trail.
    """

    name: str
    slug: str
    owner_id: UUID
    actor: Actor
    request_id: str | None = None
    placement: PlacementKind | None = None
    is_platform: bool = False
    reason: str | None = None


class Tenants:
    """The life of tenants, as their owners see it."""

    def __init__(self, runtime: Runtime, settings: TenancySettings, prepare: PreparePlacement) -> None:
        self._database = runtime.database
        self._facts = runtime.facts
        self._settings = settings
        self._prepare = prepare

    async def create(self, founding: Founding, idempotency: Idempotency | None = None) -> TenantRead:
        """Found a tenant with its first owner, once for each key where there is one.

        A tenant with a schema of its own is `preparing` until the schema stands. If that fails, the tenant is taken
        back and its slug is free again; if the process ends in between, the platform administrator can resume it.
        Raises `SlugTaken`, `SlugReserved`, `UnknownUser` and `PlacementFailed`.
        """
        if not founding.is_platform:
            self.refuse_reserved(founding.slug)
        tenant_id = TenantId(new_id())
        kind = founding.placement or self._settings.default_placement
        placement = Placement.pool() if kind is PlacementKind.POOL else Placement.schema_for(tenant_id)
        tenant = await self._insert(founding, tenant_id, placement, idempotency)
        if kind is PlacementKind.POOL or tenant.id != tenant_id:  # another id: the same request has founded it before
            return tenant
        by, request_id = founding.actor, founding.request_id
        try:
            return await self.finish(tenant_id, actor=by, request_id=request_id, idempotency=idempotency)
        except PlacementFailed:
            await self._take_back(founding, tenant_id, idempotency)
            raise

    async def finish(
        self, tenant_id: TenantId, *, actor: Actor, request_id: str | None, idempotency: Idempotency | None = None
    ) -> TenantRead:
        """Make the schema of a tenant that is being prepared, and open it; may be repeated.

        Raises `PlacementFailed`.
        """
        try:
            await self._prepare(Placement.schema_for(tenant_id))
        except Exception as error:
            _log.error("placement not made", tenant_id=str(tenant_id), exc_info=error)
            raise PlacementFailed(retry_after=5) from error
        async with self._scope(tenant_id, actor, request_id) as uow:
            changes = {"status": TenantStatus.ACTIVE.value}
            tenant = await change_tenant(uow, self._facts.announce, tenant_id, changes, action="tenants.opened")
            if idempotency is not None:
                await idempotency.keep(uow, _answer(tenant))
        return tenant

    async def own(self, user_id: UUID, actor: Actor, request: ListRequest) -> ListPage:
        """Return a page of the tenants that a person belongs to, with the role in each."""
        async with self._database.control_scope(actor=actor, user_id=user_id) as uow:
            return await OWN_TENANTS.read(uow, request, user_id=user_id)

    async def read(self, context: AccessContext, schemas: TenantSchemas = _PLAIN) -> TenantRead:
        """Return the tenant. Raises `TenantNotFound`."""
        async with self._scope(context.tenant_id, context.principal.actor, context.request_id) as uow:
            return found(await uow.one(statements_of(schemas.read).by_id, tenant_id=context.tenant_id), schemas)

    async def change(
        self,
        context: AccessContext,
        changes: Mapping[str, Any],
        *,
        expected_version: ExpectedVersion = None,
        schemas: TenantSchemas = _PLAIN,
    ) -> TenantRead:
        """Change `name`, `slug`, `config` (as a whole), or columns of the application.

        Raises `SlugTaken`, `SlugReserved` and `StaleVersion`.
        """
        async with self._scope(context.tenant_id, context.principal.actor, context.request_id) as uow:
            if "slug" in changes:
                current = found(await uow.one(statements_of(schemas.read).lock, tenant_id=context.tenant_id), schemas)
                if changes["slug"] != current.slug:  # a tenant that has a reserved slug may keep it
                    self.refuse_reserved(changes["slug"])
            return await change_tenant(
                uow,
                self._facts.announce,
                context.tenant_id,
                changes,
                expected_version=expected_version,
                schemas=schemas,
            )

    def refuse_reserved(self, slug: str) -> None:
        """Raise `SlugReserved` for a slug that only the platform may give."""
        if slug in self._settings.reserved_slugs:
            raise SlugReserved(f"The slug {slug} is given by platform administrators alone.")

    async def _insert(
        self, founding: Founding, tenant_id: TenantId, placement: Placement, idempotency: Idempotency | None
    ) -> TenantRead:
        async with self._scope(tenant_id, founding.actor, founding.request_id) as uow:

            async def work() -> Answer:
                return _answer(await self._inserted(uow, founding, tenant_id, placement))

            answer = await (work() if idempotency is None else idempotency.answer(uow, work))
        return TenantRead.model_validate_json(answer.body)

    async def _inserted(
        self, uow: UnitOfWork, founding: Founding, tenant_id: TenantId, placement: Placement
    ) -> TenantRead:
        is_ready = placement.kind is PlacementKind.POOL
        await _hold_slugs(uow, tenant_id, founding.slug)
        row = await uow.one(
            statements_of(TenantRead).insert,
            id=tenant_id,
            slug=founding.slug,
            name=founding.name,
            status=(TenantStatus.ACTIVE if is_ready else TenantStatus.PREPARING).value,
            placement_kind=placement.kind.value,
            placement_schema=placement.schema,
        )
        await uow.run(INSERT_MEMBER, tenant_id=tenant_id, user_id=founding.owner_id, role=Role.OWNER.value)
        after = {"name": founding.name, "slug": founding.slug, "owner_id": str(founding.owner_id)}
        if founding.reason is not None:
            after["reason"] = founding.reason
        await record(uow, "tenants.created", resource_type="tenant", resource_id=tenant_id, after=after)
        await self._facts.announce(
            uow, slug_key(founding.slug), tenant_key(tenant_id), *keys_of_members(tenant_id, founding.owner_id)
        )
        return found(row)

    async def _take_back(self, founding: Founding, tenant_id: TenantId, idempotency: Idempotency | None) -> None:
        async with self._scope(tenant_id, founding.actor, founding.request_id) as uow:
            await uow.run(DELETE_UNPREPARED, tenant_id=tenant_id)
            await uow.run(RELEASE_SLUGS_OF, tenant_id=tenant_id)
            if idempotency is not None:
                await idempotency.release(uow)
            await record(uow, "tenants.creation_failed", resource_type="tenant", resource_id=tenant_id)
            await self._facts.announce(
                uow, slug_key(founding.slug), tenant_key(tenant_id), *keys_of_members(tenant_id, founding.owner_id)
            )

    def _scope(self, tenant_id: UUID, actor: Actor, request_id: str | None) -> UnitOfWork:
        user_id = actor.id if actor.kind is ActorKind.USER else None
        return self._database.control_scope(actor=actor, request_id=request_id, tenant_id=tenant_id, user_id=user_id)


Announce = Callable[..., Awaitable[None]]


async def change_tenant(
    uow: UnitOfWork,
    announce: Announce,
    tenant_id: UUID,
    changes: Mapping[str, Any],
    *,
    expected_version: ExpectedVersion = None,
    action: str = "tenants.updated",
    reason: str | None = None,
    schemas: TenantSchemas = _PLAIN,
) -> TenantRead:
    """Change columns of a tenant, with the audit line and the announcement.

    A change to what already is changes nothing, and leaves a line only where a `reason` was given. Raises
    `TenantNotFound`, `StaleVersion` and `SlugTaken`.
    """
    statements = statements_of(schemas.read)
    before = after = found(await uow.one(statements.lock, tenant_id=tenant_id), schemas)
    require_version("tenant", before.version, expected_version)
    changed = {name: value for name, value in changes.items() if getattr(before, name) != value}
    if "slug" in changed:
        await _hold_slugs(uow, tenant_id, before.slug, changed["slug"])
    if changed:
        after = found(await uow.one(statements.update(changed), tenant_id=tenant_id, **changed), schemas)
        await announce(uow, tenant_key(tenant_id), slug_key(before.slug), slug_key(after.slug))
    if changed or reason is not None:
        await record(
            uow,
            action,
            resource_type="tenant",
            resource_id=tenant_id,
            tenant_id=tenant_id,
            before=_audited(before, changed),
            after=_audited(after, changed) | ({} if reason is None else {"reason": reason}),
        )
    return after


async def _hold_slugs(uow: UnitOfWork, tenant_id: UUID, *slugs: str) -> None:
    """Make slugs the tenant's, for good. Raises `SlugTaken` for one that is or was another's."""
    for slug in slugs:
        if await uow.value(HOLD_SLUG, slug=slug, tenant_id=tenant_id) != tenant_id:
            raise SlugTaken


def found(row: Row | None, schemas: TenantSchemas = _PLAIN) -> TenantRead:
    """Return the record in a row. Raises `TenantNotFound` where there is none."""
    if row is None:
        raise TenantNotFound
    return schemas.read.model_validate({**row, "config": json.loads(row["config"])})


def _answer(tenant: TenantRead) -> Answer:
    """What is stored for a repeated request."""
    return Answer(201, tenant.model_dump_json().encode())


def _audited(tenant: TenantRead, changed: Mapping[str, Any]) -> dict[str, Any]:
    """The changed values, as the trail shows them: a config may hold secrets, such as the address of a webhook."""
    return shown(Tenant, {name: getattr(tenant, name) for name in changed})
