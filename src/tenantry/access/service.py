"""`AccessService`: the parts of access that live as long as the process."""

from __future__ import annotations

from collections.abc import Iterable

from tenantry.access.denials import DenialTrail
from tenantry.access.explain import Explainer
from tenantry.access.gate import AccessGate
from tenantry.access.grants import GrantService
from tenantry.access.keys import KeyService
from tenantry.access.permissions import PermissionCatalog
from tenantry.access.principals import Principals
from tenantry.access.resource import ResourceAccess
from tenantry.access.roles import RoleCache, RoleDelegation, Roles
from tenantry.access.sessions import VisibleRows
from tenantry.access.type_grants import TypeGrantCache
from tenantry.identity import Authenticator
from tenantry.runtime import Runtime
from tenantry.tenancy import TenantResolver


class AccessService:
    """Roles, keys, grants, explanations and the trail of denials, over the resources of an application.

    It also tells the database which rows the ORM queries of a reader see.
    """

    def __init__(
        self,
        runtime: Runtime,
        resolver: TenantResolver,
        catalog: PermissionCatalog,
        resources: Iterable[ResourceAccess],
    ) -> None:
        declared = tuple(resources)
        self._resolver = resolver
        self.catalog = catalog
        self.giving = RoleDelegation(catalog)
        self.roles = Roles(runtime, catalog, self.giving)
        self.keys = KeyService(runtime, catalog, self.giving)
        self.grants = GrantService(runtime, catalog, declared, tenant_of=resolver.named)
        self.explainer = Explainer(runtime, catalog, declared)
        self.denials = DenialTrail(runtime)
        self.principals = Principals(
            catalog,
            RoleCache(runtime.database, runtime.facts, catalog),
            TypeGrantCache(runtime.database, runtime.facts),
            runtime.clock,
        )
        runtime.database.narrow_sessions(VisibleRows(declared))

    def gate(self, authenticator: Authenticator) -> AccessGate:
        """Return the gate that every request of a tenant passes."""
        return AccessGate(authenticator, self._resolver, self.principals, self.keys.book)

    async def close(self) -> None:
        """Write what was counted and noted behind the requests: denials, uses of keys."""
        await self.denials.close()
        await self.keys.close()
