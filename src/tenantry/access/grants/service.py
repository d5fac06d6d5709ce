"""`GrantService`: the grants of an application, on records and on whole resources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tenantry.access.grants.giving import Giving
from tenantry.access.grants.records import RecordGrants
from tenantry.access.grants.types import TypeGrants
from tenantry.access.permissions import PermissionCatalog
from tenantry.access.resource import ResourceAccess
from tenantry.runtime import Runtime


class GrantService:
    """Grants, over the resources that an application declares."""

    def __init__(self, runtime: Runtime, catalog: PermissionCatalog, resources: Iterable[ResourceAccess]) -> None:
        declared = tuple(resources)
        giving = Giving(runtime, catalog)
        self.records = RecordGrants(runtime, giving, resources_below(declared))
        self.types = TypeGrants(runtime, giving, by_name(declared))


def by_name(resources: Iterable[ResourceAccess]) -> dict[str, ResourceAccess]:
    """Return resources by their names, plural and singular."""
    return {name: access for access in resources for name in (access.resource, access.singular)}


def resources_below(resources: Iterable[ResourceAccess]) -> Mapping[str, frozenset[str]]:
    """Return the names of each resource and of those whose records lie below its records."""
    declared = tuple(resources)
    return {
        above.resource: frozenset(one.resource for one in declared if above in tuple(one.above)) for above in declared
    }
