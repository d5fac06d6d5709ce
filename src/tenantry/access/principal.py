"""The principal: who acts, in which tenant, with which permissions. Resolved once for a request, then passed on."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from tenantry.access.decision import Extent
from tenantry.access.errors import NotPermitted
from tenantry.access.permissions import OWN
from tenantry.kernel import Actor
from tenantry.tenancy import Role, TenantFacts


@dataclass(frozen=True, slots=True)
class Principal:
    """An actor in a tenant."""

    actor: Actor
    user_id: UUID
    tenant: TenantFacts
    role: str
    permissions: frozenset[str]

    def extent(self, permission: str) -> Extent:
        """Return how far a permission reaches for this principal: every record, the own ones, or none.

        Steps 6 and 7 of the decision order (see `tenantry.access.decision`).
        """
        if permission in self.permissions:
            return Extent.ALL
        if permission + OWN in self.permissions:
            return Extent.OWN
        return Extent.NONE

    def require(self, permission: str) -> None:
        """Raise `NotPermitted` unless the principal holds the permission for at least its own records."""
        if self.extent(permission) is Extent.NONE:
            raise NotPermitted(f"This needs the permission {permission}.")

    def require_role(self, minimum: Role) -> None:
        """Raise `NotPermitted` unless the principal's role is at least `minimum`."""
        if self.role not in set(Role) or not Role(self.role).covers(minimum):
            raise NotPermitted(f"This needs the role {minimum}.")
