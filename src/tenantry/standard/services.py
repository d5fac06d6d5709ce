"""The services of the framework's modules that live as long as the process. Knows no web framework."""

from __future__ import annotations

from collections.abc import Iterable

from tenantry.access import PermissionCatalog, ResourceAccess, RoleDelegation
from tenantry.identity import Courier
from tenantry.runtime import Runtime
from tenantry.standard.api_keys.service import ApiKeys
from tenantry.standard.explain.service import Explainer
from tenantry.standard.grants.service import GrantService
from tenantry.standard.invitations.service import Invitations
from tenantry.standard.members.service import Members
from tenantry.standard.platform.service import PlatformTenants
from tenantry.standard.roles.service import Roles
from tenantry.standard.tenants.service import PreparePlacement, Tenants
from tenantry.tenancy import TenancySettings, TenantResolver


class StandardServices:
    """What the routes of the framework's modules, the command line and the seed call.

    `prepare` makes the schema of a tenant that gets one of its own; it needs the owner's connection, so a serving
    process of production may only have one that raises. `resources` are those of the application's tenants.
    """

    def __init__(
        self,
        runtime: Runtime,
        settings: TenancySettings,
        resolver: TenantResolver,
        catalog: PermissionCatalog,
        resources: Iterable[ResourceAccess],
        prepare: PreparePlacement,
    ) -> None:
        declared, delegation = tuple(resources), RoleDelegation(catalog)
        self._courier = Courier(runtime.mailer)
        self.grants = GrantService(runtime, catalog, declared, tenant_of=resolver.named)
        self.explainer = Explainer(runtime, catalog, declared)
        self.roles = Roles(runtime, catalog, delegation)
        self.api_keys = ApiKeys(runtime, catalog, delegation)
        self.tenants = Tenants(runtime, settings, prepare)
        self.invitations = Invitations(
            runtime, settings, self._courier.send_soon, roles=delegation, forget_grants=self.grants.forget
        )
        self.members = Members(
            runtime,
            self.invitations,
            roles=delegation,
            forget_grants=self.grants.forget,
            tenant_of=resolver.named,
        )
        self.platform = PlatformTenants(runtime, self.tenants)

    async def close(self) -> None:
        """Wait for mails that are on their way."""
        await self._courier.close()
