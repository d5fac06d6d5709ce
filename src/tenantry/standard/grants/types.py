"""Grants on whole resources: they change how far a permission reaches, before any record is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from tenantry.access import (
    ANY_TYPE,
    AccessContext,
    GrantExists,
    GrantNotFound,
    ResourceAccess,
    TooManyGrants,
    UnknownResource,
    type_grants_key,
)
from tenantry.audit import record
from tenantry.database import Plane, Row, UnitOfWork
from tenantry.kernel import SYSTEM, FieldError
from tenantry.query import ListPage, ListRequest
from tenantry.runtime import Runtime
from tenantry.standard.grants.grant_writer import GrantRequest, GrantWriter, note_forgotten, trail_of
from tenantry.standard.grants.repository import (
    COUNT_TYPE,
    FORGET_TYPE_SUBJECT,
    GIVE_TYPE,
    LOCK_COUNTED,
    OF_TYPES,
    TAKE_TYPE,
)

Trail = dict[str, Any] | None

MAX_TYPE_GRANTS = 1_000
"""Grants on whole resources in one tenant: every process that serves it holds them in memory."""


class TypeGrants:
    """Grants on whole resources. `resources` finds a resource by its name, singular or plural."""

    def __init__(self, runtime: Runtime, giving: GrantWriter, resources: Mapping[str, ResourceAccess]) -> None:
        self._database = runtime.database
        self._facts = runtime.facts
        self._giving = giving
        self._resources = resources

    async def list(self, access: AccessContext, request: ListRequest) -> ListPage:
        """Return a page of the tenant's grants on whole resources, expired ones too."""
        async with access.work(Plane.CONTROL) as uow:
            return await OF_TYPES.read(uow, request, tenant_id=uow.tenant_id)

    async def give(self, access: AccessContext, resource_type: str, gift: GrantRequest) -> Row:
        """Grant something on every record of a resource; return the grant.

        Raises `UnknownResource`, `UnknownPermission`, `GrantExpired`, `BeyondOwnPermissions`, `UnknownSubject`,
        `GrantExists` and `TooManyGrants`.
        """
        principal = access.principal
        of = self._resources.get(resource_type)
        if of is None:
            message = f"The resources are {', '.join(sorted({one.singular for one in self._resources.values()}))}."
            raise UnknownResource(errors=[FieldError("/resource_type", message, "unknown_resource")])
        self._giving.check(principal, gift, {of.resource})
        subject = await self._giving.prepare(access, gift, frozenset({ANY_TYPE}))
        values = self._giving.values(principal, gift, subject, of.singular)
        async with access.work(Plane.CONTROL) as uow:
            await uow.run(LOCK_COUNTED, counted=f"tenantry.grants:{uow.tenant_id}")
            if await uow.value(COUNT_TYPE, tenant_id=uow.tenant_id) >= MAX_TYPE_GRANTS:
                raise TooManyGrants(f"A tenant takes {MAX_TYPE_GRANTS} grants on whole resources.")
            grant = await uow.one(GIVE_TYPE, **values)
            if grant is None:
                raise GrantExists
            await self._note(uow, "grants.given", grant["id"], None, trail_of(grant))
        return grant

    async def take(self, access: AccessContext, grant_id: UUID) -> None:
        """Take a grant back. Raises `GrantNotFound`."""
        async with access.work(Plane.CONTROL) as uow:
            grant = await uow.one(TAKE_TYPE, tenant_id=uow.tenant_id, grant_id=grant_id)
            if grant is None:
                raise GrantNotFound
            await self._note(uow, "grants.taken", grant_id, trail_of(grant), None)

    async def forget(self, tenant_id: UUID, subject_id: UUID) -> None:
        """Delete every grant of a subject on whole resources."""
        async with self._database.control_scope(actor=SYSTEM, tenant_id=tenant_id) as uow:
            if number := await uow.run(FORGET_TYPE_SUBJECT, tenant_id=tenant_id, subject_id=subject_id):
                await note_forgotten(uow, subject_id, number)
                await self._facts.announce(uow, type_grants_key(tenant_id))

    async def _note(self, uow: UnitOfWork, happened: str, grant_id: UUID, before: Trail, after: Trail) -> None:
        """Write the audit line and announce the change."""
        await record(uow, happened, resource_type="grant", resource_id=grant_id, before=before, after=after)
        if uow.tenant_id is not None:
            await self._facts.announce(uow, type_grants_key(uow.tenant_id))
