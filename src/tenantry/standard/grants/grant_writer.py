"""What giving a grant has in common, on a record and on a whole resource: who may give what to whom."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from tenantry.access import BeyondOwnPermissions, Effect, GrantExpired, Principal, RoleDelegation, UnknownPermission
from tenantry.database import UnitOfWork
from tenantry.runtime import Runtime
from tenantry.standard.grants.directory import Subject
from tenantry.standard.grants.repository import MARK_GRANTED
from tenantry.standard.grants.schemas import GrantCreate
from tenantry.tenancy import TenantFacts, tenant_key


class GrantWriter:
    """The steps of giving a grant that are the same everywhere, for one principal."""

    def __init__(self, principal: Principal, runtime: Runtime) -> None:
        self._principal = principal
        self._runtime = runtime

    def require_sensible(
        self, asked: GrantCreate, resources: Collection[str], *, by_roles: Collection[str] = ()
    ) -> None:
        """Refuse what cannot be granted on these resources.

        `by_roles` are permissions that no grant decides: to grant them would be a promise that is not kept, as it would
        be for administering grants. Raises `UnknownPermission` and `GrantExpired`.
        """
        resource, _, verb = asked.action.partition(":")
        if resource not in resources or not self._runtime.permissions.expand([asked.action]):
            raise UnknownPermission.at("/action", "There is no such action here.")
        if verb == "grant" or asked.action in by_roles:
            raise UnknownPermission.at("/action", "Roles alone decide about this, on every record alike.")
        if asked.expires_at is not None and asked.expires_at <= self._runtime.clock.now():
            raise GrantExpired.at("/expires_at", "This moment has passed.", "in_the_past")

    async def require_held(self, uow: UnitOfWork, action: str, effect: str) -> None:
        """Refuse to allow what the giver does not hold; to deny somebody something one need not have it.

        The roles must hold it now, in a unit of work of the control plane: a grant made in the last second of a role
        would outlive it. Raises `BeyondOwnPermissions` and `NotAMember`.
        """
        if effect != Effect.ALLOW:
            return
        permissions = self._runtime.permissions.expand([action])
        if lacking := sorted(one for one in permissions if not self._principal.holds(one)):
            raise BeyondOwnPermissions(f"You do not hold {', '.join(lacking)}.")
        await RoleDelegation(uow, self._principal, self._runtime.permissions).require_holds(permissions)

    def columns(self, asked: GrantCreate, subject: Subject, resource_type: str) -> dict[str, Any]:
        """Return the columns of the grant, but for whose and when it is."""
        return {
            "resource_type": resource_type,
            "subject_type": subject.type.value,
            "subject_id": subject.id,
            "action": asked.action,
            "effect": asked.effect.value,
            "expires_at": asked.expires_at,
        }


async def mark_granted(uow: UnitOfWork, runtime: Runtime, tenant: TenantFacts, marks: Collection[str]) -> None:
    """Note that grants may exist for some resources, in a transaction that ends before one does.

    The mark is committed and announced first: no process can miss a grant for longer than it could miss the mark.
    """
    if not tenant.granted.issuperset(marks):
        await uow.run(MARK_GRANTED, tenant_id=tenant.id, resources=sorted(marks))
        await runtime.facts.announce(uow, tenant_key(tenant.id))
