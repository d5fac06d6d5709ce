"""Which tenant a request is about: the one function that decides, and the one rule that makes it unambiguous.

A token with an active tenant is *derived* mode, and any tenant header is then refused; otherwise *header* mode, where
`X-Tenant-Id` or `X-Tenant-Slug` selects among the caller's memberships. Never the body, never the query string. What is
named counts only after the membership was verified; until then nothing that is said depends on whether it exists.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import cast
from uuid import UUID

from tenantry.cache import MISSING, FactCache
from tenantry.database import Database, UnitOfWork
from tenantry.kernel import SYSTEM, TenantId
from tenantry.tenancy.errors import (
    DuplicateTenantHeader,
    InvalidTenantId,
    InvalidTenantSlug,
    NotAMember,
    TenantConflict,
    TenantHeaderInDerivedMode,
    TenantMissing,
    TenantNotFound,
    TenantNotReady,
    TenantSuspended,
)
from tenantry.tenancy.facts import Membership, TenantFacts, count_key, member_key, slug_key, tenant_key
from tenantry.tenancy.models import TenantStatus
from tenantry.tenancy.repository import COUNT_MEMBERS, MEMBERSHIPS_AMONG, TENANTS_NAMED
from tenantry.tenancy.settings import DEFAULT_SLUG
from tenantry.tenancy.teams.facts import TeamTree, teams_key
from tenantry.tenancy.teams.reading import read_tree
from tenantry.tenancy.tenant_cache import TenantCache

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class TenantResolver:
    """Resolves tenants, from cached facts where it can. Also the `MemberDirectory` of the runtime."""

    def __init__(self, database: Database, facts: FactCache) -> None:
        self._database = database
        self._facts = facts
        self._trees = TenantCache(database, facts, teams_key, read_tree)
        self._counts = TenantCache(database, facts, count_key, _count_members)

    def peek(
        self, user_id: UUID, active_tenant_id: UUID | None, header_id: str | None, header_slug: str | None
    ) -> Membership | None:
        """Return what `resolve` would, if everything is known and nothing is wrong; None means: ask `resolve`.

        The path of nearly every request. A header becomes part of a key unread: whatever is not spelled like an id
        that was verified before finds nothing here.
        """
        facts = self._facts
        if active_tenant_id is not None:
            if header_id is not None or header_slug is not None:
                return None
            tenant = str(active_tenant_id)
        elif header_slug is not None:
            tenant = facts.peek(f"slug:{header_slug}")
            if tenant is MISSING or (header_id is not None and header_id != tenant):
                return None
        elif header_id is not None:
            tenant = header_id
        else:
            return None
        held = facts.peek(f"member:{tenant}:{user_id}")
        known = facts.peek(f"tenant:{tenant}")
        if held is MISSING or known is MISSING or known.status != TenantStatus.ACTIVE:
            return None
        if not held.teams:
            return held.within(known)  # type: ignore[no-any-return]
        tree = facts.peek(f"teams:{tenant}")
        return None if tree is MISSING else held.within(known, tree)

    async def resolve(
        self, user_id: UUID, active_tenant_id: UUID | None, header_id: str | None, header_slug: str | None
    ) -> Membership:
        """Return the membership that the request acts under.

        Raises `TenantHeaderInDerivedMode`, `TenantMissing`, `InvalidTenantId`, `InvalidTenantSlug`,
        `DuplicateTenantHeader` and `TenantConflict` (400), `NotAMember` for an unknown and a foreign tenant alike, and
        to members `TenantSuspended` (403) or `TenantNotReady` (503).
        """
        if active_tenant_id is not None:
            if header_id is not None or header_slug is not None:
                raise TenantHeaderInDerivedMode
            return await self.member(user_id, active_tenant_id)
        tenant_id, slug = _named(header_id, header_slug)
        if tenant_id is None and slug is None:
            raise TenantMissing
        return _chosen(await self._memberships(user_id, tenant_id, slug), tenant_id, slug)

    async def member(self, user_id: UUID, tenant: UUID | str) -> Membership:
        """Return the person's membership in one tenant, named by id or slug; raises as `resolve` does."""
        tenant_id, slug = (tenant, None) if isinstance(tenant, UUID) else (None, tenant)
        return _chosen(await self._memberships(user_id, tenant_id, slug), tenant_id, slug)

    async def membership_of(self, user_id: UUID, tenant: UUID | str) -> TenantId:
        """Return the tenant's id after the membership was verified: what identity asks before it switches tenants."""
        return (await self.member(user_id, tenant)).tenant.id

    async def resolve_public(self, header_id: str | None, header_slug: str | None) -> TenantFacts:
        """Return the tenant of a public route: the one that is named, else the tenant `default`.

        No login, so existence is no secret here. Only active tenants count. Raises `TenantNotFound` (404),
        `TenantMissing` where nothing is named and there is no tenant `default`, and the errors of malformed and
        conflicting headers.
        """
        tenant_id, slug = _named(header_id, header_slug)
        is_named = tenant_id is not None or slug is not None
        found = await self._public(tenant_id, slug if is_named else DEFAULT_SLUG)
        if not found:
            raise TenantNotFound if is_named else TenantMissing
        if any(not _fits(tenant, tenant_id, slug) for tenant in found):
            raise TenantConflict
        return found[0]

    async def named(self, tenant: UUID | str) -> TenantFacts:
        """Return a tenant by its id or slug, in whatever state it is. Raises `TenantNotFound`."""
        tenant_id, slug = (tenant, None) if isinstance(tenant, UUID) else (None, tenant)
        async with self._database.control_scope(actor=SYSTEM) as uow:
            row = await uow.one(TENANTS_NAMED, tenant_id=tenant_id, slug=slug)
        if row is None:
            raise TenantNotFound
        return TenantFacts.of(row)

    async def active(self, tenant_id: UUID) -> TenantFacts:
        """Return the tenant of an actor that is no person. Raises `TenantSuspended` where it is not active."""
        found = await self._public(tenant_id, None)
        if not found:
            raise TenantSuspended
        return found[0]

    async def is_member(self, tenant_id: UUID, user_id: UUID) -> bool:
        """Tell whether the user is a member of the tenant now."""
        if self._facts.peek(member_key(tenant_id, user_id)) is not MISSING:
            return True
        return bool(await self._memberships(user_id, tenant_id, None))

    async def can_own(self, tenant_id: UUID, subject_id: UUID) -> bool:
        """Tell whether records can be given to somebody: to a member, or to a team of the tenant."""
        return await self.is_member(tenant_id, subject_id) or subject_id in await self._trees.load(tenant_id)

    async def count(self, tenant_id: UUID) -> int:
        """Return how many members the tenant has now."""
        return await self._counts.load(tenant_id)

    async def _memberships(self, user_id: UUID, tenant_id: UUID | None, slug: str | None) -> list[Membership]:
        """Return the person's memberships among the named tenants; one statement, whether they exist or not."""
        since = self._facts.moment()
        async with self._database.control_scope(actor=SYSTEM, user_id=user_id) as uow:
            rows = await uow.all(MEMBERSHIPS_AMONG, user_id=user_id, tenant_id=tenant_id, slug=slug)
        found = []
        for row in rows:
            tenant, held = TenantFacts.of(row), _Held(row["role"], tuple(row["teams"]))
            self._remember(tenant, since)
            self._facts.keep(member_key(tenant.id, user_id), held, since=since)
            found.append(held.within(tenant, await self._trees.load(tenant.id) if held.teams else None))
        return found

    async def _public(self, tenant_id: UUID | None, slug: str | None) -> list[TenantFacts]:
        """Return the active ones among the named tenants."""
        known = self._known(tenant_id, slug)
        if known is not None:
            return [known] if known.is_active else []
        since = self._facts.moment()
        async with self._database.control_scope(actor=SYSTEM) as uow:
            rows = await uow.all(TENANTS_NAMED, tenant_id=tenant_id, slug=slug)
        found = [TenantFacts.of(row) for row in rows]
        for tenant in found:
            self._remember(tenant, since)
        return [tenant for tenant in found if tenant.is_active]

    def _known(self, tenant_id: UUID | None, slug: str | None) -> TenantFacts | None:
        """Return the remembered facts of the one tenant that is named; None for two names."""
        if tenant_id is not None and slug is not None:
            return None
        named = self._facts.peek(slug_key(slug)) if slug is not None else tenant_id
        tenant = self._facts.peek(f"tenant:{named}")
        return None if tenant is MISSING else cast("TenantFacts", tenant)

    def _remember(self, tenant: TenantFacts, since: int) -> None:
        self._facts.keep(tenant_key(tenant.id), tenant, since=since)
        self._facts.keep(slug_key(tenant.slug), str(tenant.id), since=since)


class _Held:
    """A role and teams as they are remembered, with the last `Membership` made of them: a request makes no new object,
    and what is remembered about a membership holds as long as the same object comes again."""

    __slots__ = ("_membership", "_tree", "role", "teams")

    def __init__(self, role: str, teams: tuple[UUID, ...]) -> None:
        self.role = role
        self.teams = teams
        self._membership: Membership | None = None
        self._tree: TeamTree | None = None

    def within(self, tenant: TenantFacts, tree: TeamTree | None = None) -> Membership:
        made = self._membership
        if made is None or made.tenant is not tenant or self._tree is not tree:
            made = self._membership = self._made(tenant, tree)
            self._tree = tree
        return made

    def _made(self, tenant: TenantFacts, tree: TeamTree | None) -> Membership:
        if tree is None:
            return Membership(tenant, self.role)
        teams = tree.above(self.teams)
        return Membership(tenant, self.role, teams, tree.roles_of(teams))


async def _count_members(uow: UnitOfWork, tenant_id: UUID) -> int:
    """Return how many members the tenant has now."""
    number: int = await uow.value(COUNT_MEMBERS, tenant_id=tenant_id)
    return number


def _named(header_id: str | None, header_slug: str | None) -> tuple[UUID | None, str | None]:
    """Read the headers. A proxy may have joined a doubled header with a comma, which no id and no slug holds."""
    for header in (header_id, header_slug):
        if header is not None and "," in header:
            raise DuplicateTenantHeader
    if header_id is not None and not _UUID.fullmatch(header_id):
        raise InvalidTenantId
    if header_slug is not None and not header_slug.isprintable():  # whatever else it is, it names no tenant of anybody
        raise InvalidTenantSlug
    return UUID(header_id) if header_id is not None else None, header_slug


def _chosen(found: Sequence[Membership], tenant_id: UUID | None, slug: str | None) -> Membership:
    """Return the one membership that was meant.

    Whoever belongs to none of the named tenants learns nothing more, not even whether id and slug belong together.
    """
    if not found:
        raise NotAMember
    if any(not _fits(membership.tenant, tenant_id, slug) for membership in found):
        raise TenantConflict
    membership = found[0]
    match membership.tenant.status:
        case TenantStatus.SUSPENDED:
            raise TenantSuspended
        case TenantStatus.PREPARING:
            raise TenantNotReady(retry_after=5)
        case _:
            return membership


def _fits(tenant: TenantFacts, tenant_id: UUID | None, slug: str | None) -> bool:
    return tenant_id in (None, tenant.id) and slug in (None, tenant.slug)
