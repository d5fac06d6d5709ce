"""The services of grants: those on whole resources, which change how far a permission reaches before any record is
looked at, and what is asked of all grants of an application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from tenantry.access import (
    ANY_TYPE,
    AccessContext,
    GrantNotFound,
    ResourceAccess,
    TooManyGrants,
    TypeGrant,
    UnknownResource,
    type_grants_key,
)
from tenantry.audit import record
from tenantry.database import Plane, UnitOfWork
from tenantry.resources import ResourceDefinition, ResourceService, Write
from tenantry.runtime import Runtime
from tenantry.standard.grants.directory import find_subject
from tenantry.standard.grants.grant_writer import GrantWriter, mark_granted
from tenantry.standard.grants.records import RecordGrants
from tenantry.standard.grants.repository import LOCK_COUNTED, ON_RECORDS, ON_RESOURCES, GrantStatements
from tenantry.standard.grants.schemas import TypeGrantCreate, TypeGrantRead
from tenantry.tenancy import TenantFacts

TenantOf = Callable[[UUID], Awaitable[TenantFacts]]
"""Finds a tenant by its id."""

MAX_TYPE_GRANTS = 1_000
"""Grants on whole resources in one tenant: every process that serves it holds them in memory."""

ACCESS = ResourceAccess(
    "grants",
    TypeGrant,
    "grant",
    permissions=dict.fromkeys(("create", "delete"), "grants:manage"),
    whole=True,
    not_found=GrantNotFound,
)


class TypeGrantService(ResourceService):
    """The grants on whole resources of one tenant."""

    resource = ResourceDefinition(ACCESS, read=TypeGrantRead)

    @classmethod
    async def prepare(cls, context: AccessContext, payload: BaseModel) -> None:  # noqa: ARG003 - the mark is the same for all
        """Note that grants may exist, before one does; see `mark_granted`."""
        tenant = context.principal.tenant
        if ANY_TYPE not in tenant.granted:
            async with context.work(Plane.CONTROL) as uow:
                await mark_granted(uow, context.runtime, tenant, {ANY_TYPE})

    async def lock(self, verb: str, record_id: UUID | None) -> None:
        """Let those who count grants before they add one do so one after the other."""
        tenant = self.principal.tenant
        if verb == "create":
            await self.uow.run(LOCK_COUNTED, counted=f"tenantry.grants:{tenant.id}")
            # For whoever has not called `prepare`: a grant without the mark would never count, a deny neither.
            await mark_granted(self.uow, self.runtime, tenant, {ANY_TYPE})

    async def values(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Refuse a resource, an action or a subject that there is not; return the columns."""
        asked = TypeGrantCreate.model_construct(**fields)
        of = self._named(asked.resource_type)
        writer = GrantWriter(self.principal, self.runtime)
        writer.require_sensible(asked, {of})
        subject = await find_subject(self.uow, asked.subject_type, asked.subject_id)
        return writer.columns(asked, subject, self.runtime.permissions.singulars[of])

    async def check_create(self, write: Write) -> None:
        """Refuse to allow what the giver does not hold."""
        writer = GrantWriter(self.principal, self.runtime)
        await writer.require_held(self.uow, write.values["action"], write.values["effect"])

    async def check_delete(self, write: Write) -> None:
        """Refuse nothing more: whoever manages grants takes any back, a deny on themselves too."""

    async def conflict(self, write: Write) -> None:
        """Refuse too many grants; the same one makes room where it has expired."""
        if write.verb != "create":
            return
        given = {"tenant_id": self.principal.tenant.id, "now": self.runtime.clock.now(), **write.values}
        if await self.uow.value(ON_RESOURCES.make_room, **given) >= MAX_TYPE_GRANTS:
            raise TooManyGrants(f"A tenant takes {MAX_TYPE_GRANTS} grants on whole resources.")

    def announced(self, write: Write, record_id: UUID) -> Iterable[str]:
        """The grants on whole resources of the tenant."""
        return (type_grants_key(self.principal.tenant.id),)

    def action(self, happened: str) -> str:
        """The names that the trail has always had, on records too."""
        return {"created": "grants.given", "deleted": "grants.taken"}[happened]

    def _named(self, name: str) -> str:
        """Return the resource that a request names, in the singular or in the plural."""
        singulars = self.runtime.permissions.singulars
        found = next((plural for plural, singular in singulars.items() if name in (plural, singular)), None)
        if found is None:
            raise UnknownResource.at("/resource_type", f"The resources are {', '.join(sorted(singulars.values()))}.")
        return found


class GrantService:
    """Grants, over the resources that an application declares."""

    def __init__(self, runtime: Runtime, resources: Iterable[ResourceAccess], *, tenant_of: TenantOf) -> None:
        self.records = RecordGrants(resources)
        self._runtime = runtime
        self._tenant_of = tenant_of

    async def forget(self, tenant_id: UUID, subject_id: UUID) -> None:
        """Delete every grant of somebody who is about to join: what they held in an earlier time never comes back."""
        tenant = await self._tenant_of(tenant_id)
        if not tenant.granted:  # there is nothing, and nothing is asked
            return
        system = AccessContext.system(tenant, self._runtime)
        async with system.work(Plane.CONTROL) as uow:
            if await _forget(uow, ON_RESOURCES, subject_id):
                await self._runtime.facts.announce(uow, type_grants_key(tenant_id))
        async with system.work() as uow:
            await _forget(uow, ON_RECORDS, subject_id)


async def _forget(uow: UnitOfWork, grants: GrantStatements, subject_id: UUID) -> int:
    """Delete the grants of a subject in one plane, with a line in the trail; return how many there were."""
    number = await uow.run(grants.forget, tenant_id=uow.tenant_id, subject_id=subject_id)
    if number:
        before = {"grants": number}
        await record(uow, "grants.forgotten", resource_type="user", resource_id=subject_id, before=before)
    return number


def by_name(resources: Iterable[ResourceAccess]) -> dict[str, ResourceAccess]:
    """Return resources by their names, plural and singular."""
    return {name: access for access in resources for name in (access.resource, access.singular)}
