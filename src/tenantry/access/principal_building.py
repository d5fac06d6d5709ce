"""From facts to a principal: what roles, teams, grants on whole resources and the key of a request add up to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tenantry.access.grant_facts import GrantFacts
from tenantry.access.models import Effect
from tenantry.access.permissions import PermissionCatalog
from tenantry.access.principal import Principal
from tenantry.access.roles.facts import RoleFacts
from tenantry.access.subjects import BUILT_IN_IDS
from tenantry.kernel import Actor
from tenantry.runtime import PermissionMeanings
from tenantry.tenancy import Role, TenantFacts


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
    own_roles: Mapping[str, RoleFacts],
    type_grants: Iterable[GrantFacts],
    now: datetime,
) -> Principal:
    """Return the principal. A role that no longer exists gives nothing."""
    names = dict.fromkeys((acts.role, *acts.team_roles))
    subjects = [
        acts.user_id,
        *(BUILT_IN_IDS[name] for name in names if name in BUILT_IN_IDS),
        *(own_roles[name].id for name in names if name in own_roles),
        *acts.teams,
        *([acts.key_id] if acts.key_id else ()),
    ]
    known = set(subjects)
    granted = [grant for grant in type_grants if grant.subject_id in known and grant.is_in_force(now)]
    return Principal(
        actor=acts.actor,
        user_id=acts.user_id,
        tenant=acts.tenant,
        role=acts.role,
        permissions=frozenset().union(*(role_permissions(name, catalog, own_roles) for name in names)),
        roles=frozenset((*names, *([acts.platform_role] if acts.platform_role else ()))),
        rank=highest_rank(names, own_roles),
        subjects=tuple(subjects),
        allowed=catalog.expand(grant.action for grant in granted if grant.effect is Effect.ALLOW),
        denied=catalog.expand(grant.action for grant in granted if grant.effect is Effect.DENY),
        ceiling=acts.ceiling,
        key_id=acts.key_id,
    )


def role_permissions(name: str, catalog: PermissionMeanings, own_roles: Mapping[str, RoleFacts]) -> frozenset[str]:
    """Return what a role gives, built-in or the tenant's own; nothing where there is no such role."""
    if name in BUILT_IN_IDS:
        return catalog.of_role(name)
    return own_roles[name].permissions if name in own_roles else frozenset()


def highest_rank(names: Collection[str], own_roles: Mapping[str, RoleFacts]) -> Role | None:
    """Return the highest built-in role that one of the roles is or counts as; None where there is no such role."""
    counted = [Role(name) for name in names if name in BUILT_IN_IDS]
    counted += [Role(own_roles[name].counts_as) for name in names if name in own_roles]
    return max(counted, key=lambda role: role.rank, default=None)


def key_ceiling(
    scope: frozenset[str] | None,
    scope_role: str | None,
    catalog: PermissionMeanings,
    own_roles: Mapping[str, RoleFacts],
) -> frozenset[str] | None:
    """Return what a key is limited to by the permissions and the role that it names; None where it names neither."""
    if scope_role is None:
        return scope
    of_role = role_permissions(scope_role, catalog, own_roles)
    return of_role if scope is None else scope & of_role


def next_expiry(type_grants: Iterable[GrantFacts], now: datetime) -> datetime | None:
    """Return when the first grant that is in force ends; a principal made now is right until then."""
    return min((grant.expires_at for grant in type_grants if grant.expires_at and grant.expires_at > now), default=None)
