"""`Roster`: who is in a tenant and what that adds up to, read from the database as it is now.

What requests go by is remembered for up to a second longer elsewhere (`tenantry.cache`); an explanation is about what
is true now, so it asks nobody's memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self
from uuid import UUID

from tenantry.access import (
    BUILT_IN_IDS,
    OWN,
    Effect,
    PermissionCatalog,
    Principal,
    PrincipalFacts,
    RoleFacts,
    SubjectType,
    TypeGrantFacts,
    build_principal,
    key_ceiling,
    read_roles,
    role_permissions,
)
from tenantry.database import Row, UnitOfWork
from tenantry.kernel import Actor, ActorKind
from tenantry.standard.explain.given import Given
from tenantry.standard.explain.repository import ACCOUNT_NAMED, ACTORS, KEY_NAMED, MEMBER_NAMED, TEAMS, TYPE_GRANTS
from tenantry.tenancy import TeamFacts, TeamTree, TenantFacts


@dataclass(frozen=True, slots=True)
class Key:
    """An API key, and what it is limited to."""

    id: UUID
    name: str
    user_id: UUID | None
    service_account_id: UUID | None
    role: str | None
    permissions: tuple[str, ...] | None
    expires_at: datetime | None

    @classmethod
    def of(cls, row: Row) -> Self:
        """Return the key in a row of `KEY_NAMED`."""
        named = row["permissions"]
        limits = (row["role"], None if named is None else tuple(named))
        return cls(row["id"], row["name"], row["user_id"], row["service_account_id"], *limits, row["expires_at"])


@dataclass(frozen=True, slots=True)
class Someone:
    """A member or a service account, and the key that it acts by where it does."""

    type: SubjectType
    id: UUID
    name: str
    role: str
    teams: tuple[UUID, ...]
    """The teams that it is directly in."""
    platform_role: str | None
    is_active: bool
    key: Key | None = None

    @classmethod
    def of(cls, row: Row) -> Self:
        """Return the person or the account in a row of `ACTORS`."""
        return cls(
            SubjectType(row["subject_type"]),
            row["id"],
            row["name"],
            row["role"],
            tuple(row["teams"]),
            row["platform_role"],
            row["is_active"],
        )

    def with_key(self, key: Key) -> Someone:
        """Return the same, acting by a key; a platform role is for people who signed in."""
        return replace(self, key=key, platform_role=None)


@dataclass(frozen=True, slots=True)
class Roster:
    """The teams, the roles and the grants on whole resources of one tenant, at one moment."""

    tenant: TenantFacts
    catalog: PermissionCatalog
    own_roles: Mapping[str, RoleFacts]
    tree: TeamTree
    team_names: Mapping[UUID, str]
    type_grants: Sequence[Given]
    type_facts: Sequence[TypeGrantFacts]
    """The same, as principals are made of them."""
    now: datetime

    @classmethod
    async def read(cls, uow: UnitOfWork, tenant: TenantFacts, catalog: PermissionCatalog, now: datetime) -> Self:
        """Return what is true in the transaction: three statements, however many members there are."""
        teams = await uow.all(TEAMS, tenant_id=tenant.id)
        given = [Given.of(row) for row in await uow.all(TYPE_GRANTS, tenant_id=tenant.id, now=now)]
        return cls(
            tenant=tenant,
            catalog=catalog,
            own_roles=await read_roles(uow, tenant.id, catalog),
            tree=TeamTree({row["id"]: TeamFacts(row["parent_id"], row["role"]) for row in teams}),
            team_names={row["id"]: row["name"] for row in teams},
            type_grants=given,
            type_facts=[TypeGrantFacts(one.id, one.subject_id, one.action, one.effect, None) for one in given],
            now=now,
        )

    def principal(self, someone: Someone) -> Principal:
        """Return who that is in a request, as the gate makes it."""
        teams = self.tree.above(someone.teams)
        key = someone.key
        acts = PrincipalFacts(
            actor=_actor_of(someone),
            user_id=someone.id,
            tenant=self.tenant,
            role=someone.role,
            team_roles=self.tree.roles_of(teams),
            teams=teams,
            platform_role=someone.platform_role,
            key_id=key.id if key else None,
            ceiling=self._ceiling(key) if key else None,
        )
        return build_principal(acts, self.catalog, self.own_roles, self.type_facts, self.now)

    def roles_of(self, someone: Someone) -> tuple[str, ...]:
        """Return the names of the roles held in the tenant, the membership's first."""
        return tuple(dict.fromkeys((someone.role, *self.tree.roles_of(self.tree.above(someone.teams)))))

    def role_giving(self, someone: Someone, permission: str, *, own: bool = False) -> str | None:
        """Return the first role held that gives a permission, or the permission for own records."""
        wanted = permission + OWN if own else permission
        held = self.roles_of(someone)
        return next((one for one in held if wanted in role_permissions(one, self.catalog, self.own_roles)), None)

    def team_giving(self, someone: Someone, role: str) -> UUID | None:
        """Return the team by which a role is held; None where the membership itself has it."""
        if role == someone.role:
            return None
        return next((one for one in self.tree.above(someone.teams) if role in self.tree.roles_of([one])), None)

    def type_grant(self, principal: Principal, permission: str, effect: Effect) -> Given | None:
        """Return the first grant on the whole resource that has an effect for a principal."""
        for one in self.type_grants:
            is_about = one.effect is effect and one.subject_id in principal.subjects
            if is_about and permission in self.catalog.expand([one.action]):
                return one
        return None

    def subject_name(self, someone: Someone, subject_id: UUID) -> str:
        """Return the name of one of the subjects that somebody stands for."""
        if subject_id == someone.id:
            return someone.name
        if someone.key is not None and subject_id == someone.key.id:
            return someone.key.name
        roles = BUILT_IN_IDS | {name: role.id for name, role in self.own_roles.items()}
        named = {role_id: name for name, role_id in roles.items()} | dict(self.team_names)
        return named.get(subject_id, str(subject_id))

    def has_expired(self, key: Key) -> bool:
        """Tell whether a key proves nothing any more."""
        return key.expires_at is not None and key.expires_at <= self.now

    def _ceiling(self, key: Key) -> frozenset[str] | None:
        scope = None if key.permissions is None else self.catalog.expand(key.permissions)
        return key_ceiling(scope, key.role, self.catalog, self.own_roles)


async def find_member(uow: UnitOfWork, tenant_id: UUID, user_id: UUID) -> Someone | None:
    """Return a member of the tenant."""
    return _someone(await uow.one(MEMBER_NAMED, tenant_id=tenant_id, subject_id=user_id))


async def find_account(uow: UnitOfWork, tenant_id: UUID, account_id: UUID) -> Someone | None:
    """Return a service account of the tenant."""
    return _someone(await uow.one(ACCOUNT_NAMED, tenant_id=tenant_id, subject_id=account_id))


async def find_holder(uow: UnitOfWork, tenant_id: UUID, key_id: UUID) -> Someone | None:
    """Return whom a key of the tenant acts for, acting by that key."""
    row = await uow.one(KEY_NAMED, tenant_id=tenant_id, key_id=key_id)
    if row is None:
        return None
    key = Key.of(row)
    find, holder = (find_member, key.user_id) if key.user_id else (find_account, key.service_account_id)
    someone = await find(uow, tenant_id, holder) if holder else None
    return someone.with_key(key) if someone else None


async def read_actors(uow: UnitOfWork, tenant_id: UUID, after: Someone | None, *, limit: int) -> list[Someone]:
    """Return members and service accounts by name, then id: those behind `after`."""
    behind = {"after_name": after.name if after else None, "after_id": after.id if after else None}
    return [Someone.of(row) for row in await uow.all(ACTORS, tenant_id=tenant_id, limit=limit, **behind)]


def _someone(row: Row | None) -> Someone | None:
    return None if row is None else Someone.of(row)


def _actor_of(someone: Someone) -> Actor:
    if someone.type is SubjectType.SERVICE_ACCOUNT:
        return Actor(ActorKind.SERVICE_ACCOUNT, someone.id)
    return Actor(ActorKind.API_KEY, someone.key.id) if someone.key else Actor(ActorKind.USER, someone.id)
