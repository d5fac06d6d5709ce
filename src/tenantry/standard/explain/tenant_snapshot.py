"""`TenantSnapshot`: who is in a tenant and what that adds up to, read from the database as it is now.

What requests go by is remembered for up to a second longer elsewhere (`tenantry.cache`); an explanation is about what
is true now, so it asks nobody's memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import attrgetter
from typing import Self
from uuid import UUID

from tenantry.access import (
    BUILT_IN_IDS,
    OWN,
    Effect,
    GrantFacts,
    PermissionCatalog,
    Principal,
    PrincipalFacts,
    RoleFacts,
    SubjectType,
    answers_for,
    build_principal,
    key_ceiling,
    read_roles,
    read_type_grants,
    role_permissions,
)
from tenantry.database import Row, UnitOfWork
from tenantry.kernel import Actor, ActorKind
from tenantry.standard.explain.repository import ACTOR, ACTORS, KEY_HOLDER, TEAMS
from tenantry.tenancy import TeamFacts, TeamTree, TenantFacts


@dataclass(frozen=True, slots=True)
class SubjectFacts:
    """A member or a service account, and the key that it acts by where it does."""

    type: SubjectType
    id: UUID
    name: str
    role: str
    teams: Sequence[UUID]
    """The teams that it is directly in."""
    is_active: bool
    platform_role: str | None = None
    sponsor_id: UUID | None = None
    key_id: UUID | None = None
    key_name: str = ""
    key_role: str | None = None
    key_permissions: Sequence[str] | None = None
    key_expires_at: datetime | None = None

    @classmethod
    def of(cls, row: Row) -> Self:
        """Return the person or the account in a row of `ACTORS` or `KEY_HOLDER`."""
        return cls(**{**row, "type": SubjectType(row["type"])})

    @property
    def actor(self) -> Actor:
        """Who acts in a request of theirs."""
        if self.type is SubjectType.SERVICE_ACCOUNT:
            return Actor(ActorKind.SERVICE_ACCOUNT, self.id)
        return Actor(ActorKind.API_KEY, self.key_id) if self.key_id else Actor(ActorKind.USER, self.id)

    def locked_out(self, now: datetime) -> str | None:
        """Say why it can do nothing at all, before the order is asked; None for whoever can sign in."""
        if not self.is_active and self.type is SubjectType.SERVICE_ACCOUNT:
            return f"{self.name} is suspended until somebody answers for it"
        if not self.is_active:
            return f"{self.name} is deactivated and cannot sign in"
        if self.key_expires_at is not None and self.key_expires_at <= now:
            return f"the key {self.key_name} has expired"
        return None


@dataclass(frozen=True, slots=True)
class TenantSnapshot:
    """The teams, the roles and the grants on whole resources of one tenant, at one moment."""

    tenant: TenantFacts
    catalog: PermissionCatalog
    own_roles: Mapping[str, RoleFacts]
    tree: TeamTree
    team_names: Mapping[UUID, str]
    type_grants: Sequence[GrantFacts]
    now: datetime

    @classmethod
    async def read(cls, uow: UnitOfWork, tenant: TenantFacts, catalog: PermissionCatalog, now: datetime) -> Self:
        """Return what is true in the transaction: three statements, however many members there are."""
        teams = await uow.all(TEAMS, tenant_id=tenant.id)
        type_grants = await read_type_grants(uow, tenant.id)
        return cls(
            tenant=tenant,
            catalog=catalog,
            own_roles=await read_roles(uow, tenant.id, catalog),
            tree=TeamTree({row["id"]: TeamFacts(row["parent_id"], row["role"]) for row in teams}),
            team_names={row["id"]: row["name"] for row in teams},
            type_grants=sorted((grant for grant in type_grants if grant.is_in_force(now)), key=attrgetter("id")),
            now=now,
        )

    def principal(self, subject: SubjectFacts) -> Principal:
        """Return who that is in a request, as the gate makes it."""
        teams, named = self.tree.above(subject.teams), subject.key_permissions
        scope = None if named is None else self.catalog.expand(named)
        acts = PrincipalFacts(
            actor=subject.actor,
            user_id=subject.id,
            tenant=self.tenant,
            role=subject.role,
            team_roles=self.tree.roles_of(teams),
            teams=teams,
            platform_role=subject.platform_role,
            key_id=subject.key_id,
            ceiling=key_ceiling(scope, subject.key_role, self.catalog, self.own_roles),
        )
        return build_principal(acts, self.catalog, self.own_roles, self.type_grants, self.now)

    async def as_answered(self, uow: UnitOfWork, subject: SubjectFacts) -> SubjectFacts:
        """Return a service account as suspended if its sponsor does not answer for it now; others as they are."""
        if subject.type is not SubjectType.SERVICE_ACCOUNT or not subject.is_active:
            return subject
        sponsor = await find_subject(uow, self.tenant.id, subject.sponsor_id) if subject.sponsor_id else None
        is_here = sponsor is not None and sponsor.is_active
        if sponsor and is_here and answers_for(self.principal(sponsor), self.principal(subject)):
            return subject
        return replace(subject, is_active=False)

    def role_giving(self, subject: SubjectFacts, permission: str, *, own: bool = False) -> str | None:
        """Return the first role held that gives a permission, or the permission for own records."""
        wanted = permission + OWN if own else permission
        held = (subject.role, *self.tree.roles_of(self.tree.above(subject.teams)))
        return next((one for one in held if wanted in role_permissions(one, self.catalog, self.own_roles)), None)

    def team_giving(self, subject: SubjectFacts, role: str) -> str | None:
        """Return the name of the team by which a role is held; None where the membership itself has it."""
        if role == subject.role:
            return None
        teams = (one for one in self.tree.above(subject.teams) if role in self.tree.roles_of([one]))
        return next((self.team_names[one] for one in teams), None)

    def type_grant(self, principal: Principal, permission: str, effect: Effect) -> GrantFacts | None:
        """Return the first grant on the whole resource that has an effect for a principal."""
        own = (one for one in self.type_grants if one.effect is effect and one.subject_id in principal.subjects)
        return next((one for one in own if permission in self.catalog.expand([one.action])), None)

    def named(self, subject: SubjectFacts, subject_id: UUID) -> tuple[SubjectType, str]:
        """Return what one of the subjects that somebody stands for is, and its name."""
        if subject_id == subject.id:
            return subject.type, subject.name
        if subject_id == subject.key_id:
            return SubjectType.API_KEY, subject.key_name
        if subject_id in self.team_names:
            return SubjectType.TEAM, self.team_names[subject_id]
        roles = BUILT_IN_IDS | {name: role.id for name, role in self.own_roles.items()}
        return SubjectType.ROLE, next((name for name, id_ in roles.items() if id_ == subject_id), str(subject_id))


async def find_subject(
    uow: UnitOfWork, tenant_id: UUID, subject_id: UUID, *, is_key: bool = False
) -> SubjectFacts | None:
    """Return a member or a service account of the tenant; of a key, whom it acts for, acting by that key."""
    row = await uow.one(KEY_HOLDER if is_key else ACTOR, tenant_id=tenant_id, subject_id=subject_id)
    return None if row is None else SubjectFacts.of(row)


async def read_actors(uow: UnitOfWork, tenant_id: UUID, after: SubjectFacts | None) -> list[SubjectFacts]:
    """Return members and service accounts by name, then id: a batch of those behind `after`."""
    behind = {"after_name": after.name if after else None, "after_id": after.id if after else None}
    return [SubjectFacts.of(row) for row in await uow.all(ACTORS, tenant_id=tenant_id, **behind)]
