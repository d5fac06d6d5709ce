"""Sponsors: a service account acts while the person who answers for it may give what it has.

Whoever leaves a tenant, or falls, keeps nothing by an account that they made. It is suspended, also should they come
back, until somebody who may give its role takes it over.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from uuid import UUID

from tenantry.access.errors import ServiceAccountSuspended
from tenantry.access.keys.facts import KeyCache, KeyFacts, api_key_key
from tenantry.access.keys.repository import ACCOUNTS_OF_SPONSOR, KEYS_OF_ACCOUNTS, SUSPEND_ACCOUNTS
from tenantry.access.principal import Principal
from tenantry.access.principal_building import highest_rank, role_permissions
from tenantry.access.principals import Principals
from tenantry.access.roles.authority import Delegable, RoleDelegation, answers_for
from tenantry.access.roles.facts import read_roles
from tenantry.audit import record
from tenantry.database import UnitOfWork
from tenantry.kernel import SYSTEM, Actor, ActorKind
from tenantry.runtime import Runtime
from tenantry.tenancy import NotAMember, Role, TenantFacts, TenantResolver

KEPT = 10_000
"""Accounts whose sponsor was found to answer for them, remembered by a process, the latest used."""


class Sponsors:
    """Knows of each service account that acts whether its sponsor still answers for it. One for a process."""

    def __init__(self, runtime: Runtime, resolver: TenantResolver, keys: KeyCache, principals: Principals) -> None:
        self._runtime = runtime
        self._resolver = resolver
        self._keys = keys
        self._principals = principals
        self._answered: OrderedDict[UUID, tuple[Principal, Principal]] = OrderedDict()

    async def principal(self, key: KeyFacts, tenant: TenantFacts) -> Principal:
        """Return the service account that a key acts for.

        Raises `ServiceAccountSuspended`, and suspends the account where nobody answers for it any more. `LookupError`
        for a person's key.
        """
        acting, account = await self._principals.of_service_account(key, tenant), key.service_account
        if account is None or account.is_suspended:
            raise ServiceAccountSuspended
        if not await self._answers(account.sponsor_id, tenant, acting):
            async with self._runtime.database.control_scope(actor=SYSTEM, tenant_id=tenant.id) as uow:
                await _suspend(uow, self._runtime, tenant.id, [account.id])
            raise ServiceAccountSuspended
        return acting

    async def _answers(self, sponsor_id: UUID | None, tenant: TenantFacts, acting: Principal) -> bool:
        """Tell whether the sponsor is here, and holds everything that the account does."""
        if sponsor_id is None:
            return False
        asked = (sponsor_id, tenant.id, None, None)
        try:
            membership = self._resolver.peek(*asked) or await self._resolver.resolve(*asked)
        except NotAMember:
            return False
        if not await self._keys.is_active(sponsor_id):
            return False
        known = self._principals.peek(sponsor_id, tenant.id, (membership, None))
        sponsor = known or await self._principals.of_person(sponsor_id, membership)
        before = self._answered.get(acting.user_id)
        if before is None or before[0] is not sponsor or before[1] is not acting:
            if not answers_for(sponsor, acting):
                return False
            self._answered[acting.user_id] = (sponsor, acting)
        self._answered.move_to_end(acting.user_id)
        if len(self._answered) > KEPT:
            self._answered.popitem(last=False)
        return True


async def suspend_unanswered(uow: UnitOfWork, runtime: Runtime, tenant: TenantFacts, sponsor_id: UUID) -> None:
    """Suspend the accounts for which somebody does not answer any more, as their roles are in this transaction."""
    accounts = await uow.all(ACCOUNTS_OF_SPONSOR, tenant_id=tenant.id, sponsor_id=sponsor_id)
    if not accounts:
        return
    catalog = runtime.permissions
    own_roles = await read_roles(uow, tenant.id, catalog)
    sponsor = Principal(Actor(ActorKind.USER, sponsor_id), sponsor_id, tenant, "", frozenset())
    try:
        held = await RoleDelegation(uow, sponsor, catalog).delegable(own_roles)
    except NotAMember:
        held = Delegable(frozenset(), None)
    lost = []
    for account in accounts:
        permissions = role_permissions(account["role"], catalog, own_roles)
        rank = highest_rank([account["role"]], own_roles) or Role.VIEWER
        if held is not None and not held.covers(permissions, rank):
            lost.append(account["id"])
    if lost:
        await _suspend(uow, runtime, tenant.id, lost)


async def _suspend(uow: UnitOfWork, runtime: Runtime, tenant_id: UUID, account_ids: Collection[UUID]) -> None:
    """Suspend accounts, with their lines in the trail: their keys act no more, elsewhere within a second."""
    named = {"tenant_id": tenant_id, "account_ids": sorted(account_ids)}
    for row in await uow.all(SUSPEND_ACCOUNTS, **named, now=runtime.clock.now()):
        action = "service_accounts.suspended"
        await record(uow, action, resource_type="service_account", resource_id=row["id"])
    keys = await uow.all(KEYS_OF_ACCOUNTS, **named)
    await runtime.facts.announce(uow, *(api_key_key(tenant_id, row["id"]) for row in keys))
