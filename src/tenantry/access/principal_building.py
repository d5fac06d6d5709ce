"""From facts to a principal: what roles, teams, grants on whole resources and the key of a request add up to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from tenantry.access.models import Effect
from tenantry.access.permissions import PermissionCatalog
from tenantry.access.principal import Principal
from tenantry.access.subjects import BUILT_IN_IDS
from tenantry.access.type_grants import TypeGrantFacts
from tenantry.kernel import Actor
from tenantry.tenancy import Role, TenantFacts


class HeldRole(Protocol):
    """A role of a tenant's own, as `tenantry.access.roles` knows it."""

    @property
    def id(self) -> UUID:
        """Its subject id."""
        ...

    @property
    def counts_as(self) -> str:
        """The built-in role that it is where a minimum role is asked for."""
        ...

    @property
    def permissions(self) -> frozenset[str]:
        """What it gives, expanded."""
        ...


@dataclass(frozen=True, slots=True)
class PrincipalFacts:
    """Who acts in a tenant, by which roles: what a principal is made of before it is known what the roles mean."""

    actor: Actor
    user_id: UUID
    tenant: TenantFacts
    role: str
    team_roles: Sequence[str] = ()
    teams: Sequence[UUID] = ()
    platform_role: str | None = None
    key_id: UUID | None = None
    ceiling: frozenset[str] | None = None


def build_principal(
    acts: PrincipalFacts,
    catalog: PermissionCatalog,
    own_roles: Mapping[str, HeldRole],
    type_grants: Iterable[TypeGrantFacts],
    now: datetime,
) -> Principal:
    """Return the principal. A role that no longer exists gives nothing."""
    names = dict.fromkeys((acts.role, *acts.team_roles))
    custom = [own_roles[name] for name in names if name in own_roles]
    built_in = [Role(name) for name in names if name in BUILT_IN_IDS]
    subjects = [
        acts.user_id,
        *(BUILT_IN_IDS[role] for role in built_in),
        *(role.id for role in custom),
        *acts.teams,
        *([acts.key_id] if acts.key_id else ()),
    ]
    known = set(subjects)
    granted = [grant for grant in type_grants if grant.subject_id in known and _is_in_force(grant, now)]
    return Principal(
        actor=acts.actor,
        user_id=acts.user_id,
        tenant=acts.tenant,
        role=acts.role,
        permissions=frozenset().union(*(role_permissions(name, catalog, own_roles) for name in names)),
        roles=frozenset((*names, *([acts.platform_role] if acts.platform_role else ()))),
        rank=max([*built_in, *(Role(role.counts_as) for role in custom)], key=lambda role: role.rank, default=None),
        subjects=tuple(subjects),
        allowed=catalog.expand(grant.action for grant in granted if grant.effect is Effect.ALLOW),
        denied=catalog.expand(grant.action for grant in granted if grant.effect is Effect.DENY),
        ceiling=acts.ceiling,
        key_id=acts.key_id,
    )


def role_permissions(name: str, catalog: PermissionCatalog, own_roles: Mapping[str, HeldRole]) -> frozenset[str]:
    """Return what a role gives, built-in or the tenant's own; nothing where there is no such role."""
    if name in BUILT_IN_IDS:
        return catalog.of_role(name)
    return own_roles[name].permissions if name in own_roles else frozenset()


def key_ceiling(
    scope: frozenset[str] | None,
    scope_role: str | None,
    catalog: PermissionCatalog,
    own_roles: Mapping[str, HeldRole],
) -> frozenset[str] | None:
    """Return what a key is limited to by the permissions and the role that it names; None where it names neither."""
    if scope_role is None:
        return scope
    of_role = role_permissions(scope_role, catalog, own_roles)
    return of_role if scope is None else scope & of_role


def next_expiry(type_grants: Iterable[TypeGrantFacts], now: datetime) -> datetime | None:
    """Return when the first grant that is in force ends; a principal made now is right until then."""
    return min((grant.expires_at for grant in type_grants if grant.expires_at and grant.expires_at > now), default=None)


def _is_in_force(grant: TypeGrantFacts, now: datetime) -> bool:
    return grant.expires_at is None or grant.expires_at > now
