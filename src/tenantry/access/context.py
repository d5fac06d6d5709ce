"""`AccessContext`: who acts, and how to work in their name. One for a request, a command, or the application itself."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from tenantry.access.principal import Principal
from tenantry.database import Plane, Planning, UnitOfWork
from tenantry.runtime import Runtime
from tenantry.tenancy import TenantFacts


@dataclass(frozen=True, slots=True)
class AccessContext:
    """A principal with the runtime that it works on; `request_id` is None outside of requests."""

    principal: Principal
    runtime: Runtime
    request_id: str | None = None

    @classmethod
    def system(cls, tenant: TenantFacts, runtime: Runtime) -> AccessContext:
        """Return the context of the application itself in a tenant: the seed, the command line, the platform."""
        return cls(Principal.system(tenant), runtime)

    @property
    def tenant_id(self) -> UUID:
        """The tenant that is acted in."""
        return self.principal.tenant.id

    def work(self, plane: Plane = Plane.TENANT, planning: Planning = Planning.KEPT) -> UnitOfWork:
        """Open a unit of work of the principal's tenant in one plane; close it before the answer leaves.

        `planning` is `Planning.FRESH` for statements that read many rows of the tenant plane.
        """
        database, principal = self.runtime.database, self.principal
        if plane is Plane.CONTROL:
            return database.control_scope(
                actor=principal.actor, request_id=self.request_id, tenant_id=principal.tenant.id
            )
        return database.tenant_scope(
            principal.tenant.id,
            principal.tenant.placement,
            actor=principal.actor,
            request_id=self.request_id,
            planning=planning,
            reader=principal,
        )
