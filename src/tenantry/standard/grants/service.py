"""`GrantService`: the grants of an application, on records and on whole resources."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from uuid import UUID

from tenantry.access import PermissionCatalog, ResourceAccess
from tenantry.runtime import Runtime
from tenantry.standard.grants.grant_writer import GrantWriter
from tenantry.standard.grants.records import RecordGrants
from tenantry.standard.grants.types import TypeGrants
from tenantry.tenancy import TenantFacts

TenantOf = Callable[[UUID], Awaitable[TenantFacts]]
"""Finds a tenant by its id."""


class GrantService:
    """Grants, over the resources that an application declares."""

    def __init__(
        self, runtime: Runtime, catalog: PermissionCatalog, resources: Iterable[ResourceAccess], *, tenant_of: TenantOf
    ) -> None:
        declared = tuple(resources)
        giving = GrantWriter(runtime, catalog)
        fields = frozenset(permission for one in declared for permission in one.restricted.values())
        self.records = RecordGrants(runtime, giving, resources_below(declared), fields)
        self.types = TypeGrants(runtime, giving, by_name(declared))
        self._tenant_of = tenant_of

    async def forget(self, tenant_id: UUID, subject_id: UUID) -> None:
        """Delete every grant of somebody who is about to join: what they held in an earlier time never comes back."""
        tenant = await self._tenant_of(tenant_id)
        if tenant.granted:  # for others there is nothing, and nothing is asked
            await self.types.forget(tenant_id, subject_id)
            await self.records.forget(tenant, subject_id)


def by_name(resources: Iterable[ResourceAccess]) -> dict[str, ResourceAccess]:
    """Return resources by their names, plural and singular."""
    return {name: access for access in resources for name in (access.resource, access.singular)}


def resources_below(resources: Iterable[ResourceAccess]) -> Mapping[str, frozenset[str]]:
    """Return the names of each resource and of those whose records lie below its records."""
    declared = tuple(resources)
    return {
        above.resource: frozenset(one.resource for one in declared if above in tuple(one.above)) for above in declared
    }
