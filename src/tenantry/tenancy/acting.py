"""Who does something in a tenant, as the services of tenancy need it: without HTTP, without permissions."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from tenantry.kernel import SYSTEM, Actor, ActorKind
from tenantry.tenancy.errors import RoleAboveOwn
from tenantry.tenancy.roles import Role

_KNOWN = frozenset(Role)


@dataclass(frozen=True, slots=True)
class Acting:
    """An actor in one tenant, with the role it acts in. That it may act at all was decided before."""

    tenant_id: UUID
    actor: Actor
    role: str
    request_id: str | None = None
    ceiling: frozenset[str] | None = None
    """What an API key is limited to, as permissions; None where nothing but the role limits."""

    @classmethod
    def as_system(cls, tenant_id: UUID) -> Acting:
        """Return the application itself: the seed, the command line, platform administration."""
        return cls(tenant_id, SYSTEM, Role.OWNER)

    @property
    def member_id(self) -> UUID | None:
        """The acting person, whose membership must still hold when the change is written; None for others."""
        return self.actor.id if self.actor.kind is ActorKind.USER else None


def require_rank(own: str, *roles: str) -> None:
    """Raise `RoleAboveOwn` unless `own` is at least as high as each of `roles`.

    >>> require_rank("owner", "owner", "viewer")
    >>> require_rank("manager", "owner")
    Traceback (most recent call last):
    ...
    tenantry.tenancy.errors.RoleAboveOwn: You cannot give or change a role above your own.
    """
    if own not in _KNOWN or not all(Role(own).covers(Role(role)) for role in roles):
        raise RoleAboveOwn
