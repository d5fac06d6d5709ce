"""Tenancy in one value: what the assembly makes once, and everything above asks. Knows no web framework."""

from __future__ import annotations

from tenantry.identity import Courier
from tenantry.runtime import Runtime
from tenantry.tenancy.authority import RoleAuthority
from tenantry.tenancy.invitations import ForgetGrants, Invitations
from tenantry.tenancy.members import Members
from tenantry.tenancy.platform import PlatformTenants
from tenantry.tenancy.resolution import TenantResolver
from tenantry.tenancy.settings import TenancySettings
from tenantry.tenancy.tenants import PreparePlacement, Tenants


class TenancyService:
    """The behaviours of tenancy, each with its own rules: `tenants`, `members`, `invitations`,
    `platform`, and the `resolver` of every request.

    `prepare` makes the schema of a tenant that gets one of its own; it needs the owner's connection, so a serving
    process of production may only have one that raises. `roles` says who may give which role; `forget_grants` is called
    before somebody becomes a member.
    """

    def __init__(
        self,
        runtime: Runtime,
        settings: TenancySettings,
        resolver: TenantResolver,
        prepare: PreparePlacement,
        *,
        roles: RoleAuthority,
        forget_grants: ForgetGrants,
    ) -> None:
        self._courier = Courier(runtime.mailer)
        self.resolver = resolver
        self.tenants = Tenants(runtime, settings, prepare)
        self.invitations = Invitations(
            runtime, settings, self._courier.send_soon, roles=roles, forget_grants=forget_grants
        )
        self.members = Members(runtime, self.invitations, roles=roles, forget_grants=forget_grants)
        self.platform = PlatformTenants(runtime, self.tenants)

    async def close(self) -> None:
        """Wait for mails that are on their way."""
        await self._courier.close()
