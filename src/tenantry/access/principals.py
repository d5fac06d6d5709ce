"""`Principals`: makes principals of memberships, and remembers them until a fact that they were made of changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from tenantry.access.permissions import PermissionCatalog
from tenantry.access.principal import Principal
from tenantry.access.standing import Acts, HeldRole, next_expiry, principal_of
from tenantry.access.subjects import BUILT_IN_IDS
from tenantry.access.type_grants import ANY_TYPE, TypeGrantBook, TypeGrantFacts
from tenantry.kernel import Actor, ActorKind, Clock
from tenantry.tenancy import Membership

KEPT = 10_000
"""Principals remembered by a process, the latest used."""


class OwnRoles(Protocol):
    """Knows the roles of each tenant's own; `tenantry.access.roles` does."""

    def peek(self, tenant_id: UUID) -> Any:
        """Return the roles by name, or `MISSING`."""
        ...

    async def load(self, tenant_id: UUID) -> Mapping[str, HeldRole]:
        """Return the roles by name, from the database if need be."""
        ...


@dataclass(frozen=True, slots=True)
class _Made:
    """A principal with the facts that it was made of: the same objects mean the same principal."""

    membership: Membership
    platform_role: str | None
    own_roles: Mapping[str, HeldRole] | None
    type_grants: tuple[TypeGrantFacts, ...] | None
    until: datetime | None
    principal: Principal


class Principals:
    """The principals of a process. `catalog` knows what each built-in role may do."""

    def __init__(
        self, catalog: PermissionCatalog, own_roles: OwnRoles, type_grants: TypeGrantBook, clock: Clock
    ) -> None:
        self.catalog = catalog
        self._own_roles = own_roles
        self._type_grants = type_grants
        self._clock = clock
        self._made: OrderedDict[tuple[UUID, UUID], _Made] = OrderedDict()

    def peek(self, user_id: UUID, membership: Membership, platform_role: str | None) -> Principal | None:
        """Return the principal of a person without waiting, if nothing has changed; None means: ask `of_person`."""
        made = self._made.get((user_id, membership.tenant.id))
        if made is None or made.membership is not membership or made.platform_role != platform_role:
            return None
        tenant_id = membership.tenant.id
        if made.own_roles is not None and self._own_roles.peek(tenant_id) is not made.own_roles:
            return None
        if made.type_grants is not None and self._type_grants.peek(tenant_id) is not made.type_grants:
            return None
        if made.until is not None and self._clock.now() >= made.until:
            return None
        return made.principal

    async def of_person(self, user_id: UUID, membership: Membership, platform_role: str | None = None) -> Principal:
        """Return the principal of a person in a tenant."""
        known = self.peek(user_id, membership, platform_role)
        if known is not None:
            return known
        acts = Acts(
            Actor(ActorKind.USER, user_id),
            user_id,
            membership.tenant,
            membership.role,
            membership.team_roles,
            membership.teams,
            platform_role,
        )
        own_roles, type_grants = await self._facts_of(acts)
        now = self._clock.now()
        principal = principal_of(acts, self.catalog, own_roles or {}, type_grants or (), now)
        until = next_expiry(type_grants or (), now)
        made = _Made(membership, platform_role, own_roles, type_grants, until, principal)
        self._made[user_id, membership.tenant.id] = made
        if len(self._made) > KEPT:
            self._made.popitem(last=False)
        return principal

    async def of(self, acts: Acts) -> Principal:
        """Return the principal of anybody else, made anew."""
        own_roles, type_grants = await self._facts_of(acts)
        return principal_of(acts, self.catalog, own_roles or {}, type_grants or (), self._clock.now())

    async def _facts_of(self, acts: Acts) -> tuple[Mapping[str, HeldRole] | None, tuple[TypeGrantFacts, ...] | None]:
        """Return the facts that a principal depends on; None for those that it does not."""
        tenant = acts.tenant
        has_own = any(name not in BUILT_IN_IDS for name in (acts.role, *acts.team_roles))
        own_roles = await self._own_roles.load(tenant.id) if has_own else None
        type_grants = await self._type_grants.load(tenant.id) if ANY_TYPE in tenant.granted else None
        return own_roles, type_grants
