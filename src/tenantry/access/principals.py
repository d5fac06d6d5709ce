"""`Principals`: makes principals, and remembers them until a fact that they were made of changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from tenantry.access.grant_facts import GrantFacts
from tenantry.access.keys.facts import KeyFacts
from tenantry.access.permissions import PermissionCatalog
from tenantry.access.principal import Principal
from tenantry.access.principal_building import PrincipalFacts, build_principal, key_ceiling, next_expiry
from tenantry.access.roles.facts import RoleFacts
from tenantry.access.subjects import BUILT_IN_IDS
from tenantry.access.type_grants import ANY_TYPE
from tenantry.kernel import Actor, ActorKind, Clock
from tenantry.tenancy import Membership, TenantCache, TenantFacts

KEPT = 10_000
"""Principals remembered by a process, the latest used."""


@dataclass(frozen=True, slots=True)
class _Made:
    """A principal with the facts that it was made of: the same facts mean the same principal."""

    of: tuple[object, ...]
    own_roles: Mapping[str, RoleFacts] | None
    type_grants: tuple[GrantFacts, ...] | None
    until: datetime | None
    principal: Principal


class Principals:
    """The principals of a process. `catalog` knows what each built-in role may do."""

    def __init__(
        self,
        catalog: PermissionCatalog,
        own_roles: TenantCache[dict[str, RoleFacts]],
        type_grants: TenantCache[tuple[GrantFacts, ...]],
        clock: Clock,
    ) -> None:
        self.catalog = catalog
        self._own_roles = own_roles
        self._type_grants = type_grants
        self._clock = clock
        self._made: OrderedDict[tuple[UUID, UUID], _Made] = OrderedDict()

    def peek(self, holder: UUID, tenant_id: UUID, of: tuple[object, ...]) -> Principal | None:
        """Return a principal without waiting, if it was made of the same facts; None means: ask the method for it.

        `holder` is the person, `of` are (membership, platform role); or the key, and (facts of the key, membership or
        tenant).
        """
        made = self._made.get((holder, tenant_id))
        if made is None or made.of != of:
            return None
        if made.own_roles is not None and self._own_roles.peek(tenant_id) is not made.own_roles:
            return None
        if made.type_grants is not None and self._type_grants.peek(tenant_id) is not made.type_grants:
            return None
        if made.until is not None and self._clock.now() >= made.until:
            return None
        return made.principal

    async def of_person(self, user_id: UUID, membership: Membership, platform_role: str | None = None) -> Principal:
        """Return the principal of a person in a tenant."""
        of = (membership, platform_role)
        actor = Actor(ActorKind.USER, user_id)
        acts = replace(_facts_of_member(membership, actor, user_id), platform_role=platform_role)
        return self.peek(user_id, membership.tenant.id, of) or await self._make(user_id, acts, of)

    async def of_key(self, key: KeyFacts, membership: Membership) -> Principal:
        """Return the principal of a person's key: the person's, within the scope of the key."""
        of = (key, membership)
        known = self.peek(key.id, membership.tenant.id, of)
        if known is not None or key.user_id is None:
            return known or await self.of_service_account(key, membership.tenant)
        acts = _facts_of_member(membership, Actor(ActorKind.API_KEY, key.id), key.user_id)
        return await self._make(key.id, acts, of, key)

    async def of_service_account(self, key: KeyFacts, tenant: TenantFacts) -> Principal:
        """Return the principal of a service account that came with a key. `LookupError` for a person's key."""
        of = (key, tenant)
        account = key.service_account
        if account is None:
            raise LookupError(f"the key {key.id} acts for no service account")
        acts = PrincipalFacts(Actor(ActorKind.SERVICE_ACCOUNT, account.id), account.id, tenant, account.role)
        return self.peek(key.id, tenant.id, of) or await self._make(key.id, acts, of, key)

    async def _make(
        self, holder: UUID, acts: PrincipalFacts, of: tuple[object, ...], key: KeyFacts | None = None
    ) -> Principal:
        tenant = acts.tenant
        named = {acts.role, *acts.team_roles, *([key.scope_role] if key and key.scope_role else ())}
        own_roles = None if named <= BUILT_IN_IDS.keys() else await self._own_roles.load(tenant.id)
        if key is not None:
            ceiling = key_ceiling(key.scope, key.scope_role, self.catalog, own_roles or {})
            acts = replace(acts, key_id=key.id, ceiling=ceiling)
        type_grants = await self._type_grants.load(tenant.id) if ANY_TYPE in tenant.granted else None
        now = self._clock.now()
        principal = build_principal(acts, self.catalog, own_roles or {}, type_grants or (), now)
        until = next_expiry(type_grants or (), now)
        self._made[holder, tenant.id] = _Made(of, own_roles, type_grants, until, principal)
        self._made.move_to_end((holder, tenant.id))
        if len(self._made) > KEPT:
            self._made.popitem(last=False)
        return principal


def _facts_of_member(membership: Membership, actor: Actor, user_id: UUID) -> PrincipalFacts:
    return PrincipalFacts(actor, user_id, membership.tenant, membership.role, membership.team_roles, membership.teams)
