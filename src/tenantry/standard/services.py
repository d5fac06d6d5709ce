"""The services of the framework's modules that live as long as the process. Knows no web framework."""

from __future__ import annotations

from collections.abc import Iterable

from tenantry.access import PermissionCatalog, ResourceAccess
from tenantry.identity import IdentityService
from tenantry.runtime import Runtime
from tenantry.standard.auth import Auth
from tenantry.standard.explain.service import Explainer
from tenantry.standard.grants.service import GrantService
from tenantry.standard.invitations.accepting import Invitations
from tenantry.standard.members.joining import Members
from tenantry.standard.platform.service import PlatformTenants
from tenantry.standard.tenants.service import PreparePlacement, Tenants
from tenantry.standard.users import Users
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
        identity: IdentityService,
    ) -> None:
        declared = tuple(resources)
        self.grants = GrantService(runtime, declared, tenant_of=resolver.named)
        self.explainer = Explainer(runtime, catalog, declared)
        self.tenants = Tenants(runtime, settings, prepare)
        self.invitations = Invitations(runtime, forget_grants=self.grants.forget)
        self.members = Members(runtime, forget_grants=self.grants.forget, tenant_of=resolver.named)
        self.platform = PlatformTenants(runtime, self.tenants)
        self.auth = Auth(identity)
        self.users = Users(identity, self.members.leave_all)
