"""`AccessService`: the parts of access that live as long as the process."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from tenantry.access.denials import DenialTrail
from tenantry.access.gate import AccessGate
from tenantry.access.keys.facts import KeyCache
from tenantry.access.keys.usage import KeyUsage
from tenantry.access.permissions import PermissionCatalog
from tenantry.access.principals import Principals
from tenantry.access.resource import ResourceAccess
from tenantry.access.roles.facts import read_roles, roles_key
from tenantry.access.sessions import VisibleRows
from tenantry.access.sponsors import Sponsors
from tenantry.access.type_grants import read_type_grants, type_grants_key
from tenantry.identity import Authenticator
from tenantry.runtime import Runtime
from tenantry.tenancy import TenantCache, TenantResolver


class AccessService:
    """Principals, keys and the trail of denials; it also tells the database which rows the ORM queries of a reader see.

    `resources` are those whose records lie in the tenant plane.
    """

    def __init__(
        self,
        runtime: Runtime,
        resolver: TenantResolver,
        catalog: PermissionCatalog,
        resources: Iterable[ResourceAccess],
    ) -> None:
        self._resolver = resolver
        self.catalog = catalog
        self.denials = DenialTrail(runtime)
        self.key_usage = KeyUsage(runtime.database, runtime.clock)
        self.keys = KeyCache(runtime.database, runtime.facts, runtime.clock, catalog=catalog, usage=self.key_usage)
        known = (runtime.database, runtime.facts)
        self.principals = Principals(
            catalog,
            TenantCache(*known, roles_key, partial(read_roles, catalog=catalog)),
            TenantCache(*known, type_grants_key, read_type_grants),
            runtime.clock,
        )
        self.sponsors = Sponsors(runtime, resolver, self.keys, self.principals)
        runtime.database.narrow_sessions(VisibleRows(resources))

    def gate(self, authenticator: Authenticator) -> AccessGate:
        """Return the gate that every request of a tenant passes."""
        return AccessGate(authenticator, self._resolver, self.principals, self.keys, self.sponsors)

    async def close(self) -> None:
        """Write what was counted and noted behind the requests: denials, uses of keys."""
        await self.denials.close()
        await self.key_usage.close()
