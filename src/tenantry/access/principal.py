"""The principal: who acts, in which tenant, with which permissions. Resolved once for a request, then passed on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from tenantry.access.errors import NotPermitted
from tenantry.access.permissions import OWN
from tenantry.kernel import SYSTEM, Actor
from tenantry.tenancy import Role, TenantFacts

NOBODY = UUID(int=0)
"""The person in whose name the application itself acts."""


class Breadth(StrEnum):
    """How far a permission reaches, before grants on single records are asked."""

    ALWAYS = "always"
    """Every record, whatever grants say: the `acl_allow_always` roles of a resource."""
    ALL = "all"
    OWN = "own"
    NONE = "none"
    DENIED = "denied"
    """No record, whatever other grants say: a deny grant on the whole resource."""


@dataclass(frozen=True, slots=True)
class Principal:
    """An actor in a tenant."""

    actor: Actor
    user_id: UUID
    """The person or service account in whose name is acted: the owner of what it creates."""
    tenant: TenantFacts
    role: str
    """The name of the role of the membership."""
    permissions: frozenset[str]
    """What the roles give."""
    roles: frozenset[str] = frozenset()
    """The names of every role held: of the membership, of teams, of the platform."""
    rank: Role | None = None
    """The highest built-in role that one of the roles is or counts as."""
    subjects: tuple[UUID, ...] = ()
    """Every subject that the actor stands for, whose grants count for it and whose records are its own."""
    allowed: frozenset[str] = frozenset()
    """What grants on whole resources add."""
    denied: frozenset[str] = frozenset()
    """What grants on whole resources take away."""
    ceiling: frozenset[str] | None = None
    """What the API key is limited to; None where nothing is."""
    key_id: UUID | None = None
    """The API key of the request, where it came with one."""

    @classmethod
    def system(cls, tenant: TenantFacts) -> Principal:
        """Return the application itself: the seed, the command line, platform administration. Nothing limits it."""
        return cls(SYSTEM, NOBODY, tenant, Role.OWNER, frozenset(), rank=Role.OWNER)

    @property
    def is_system(self) -> bool:
        """Whether the application itself acts."""
        return self.actor is SYSTEM

    @property
    def holder_id(self) -> UUID | None:
        """The person or service account whose roles must still hold when a change is written; None for the system."""
        return None if self.is_system else self.user_id

    def breadth(self, permission: str) -> Breadth:
        """Return how far a permission reaches: steps 4 to 7 of the decision order, without grants on records."""
        if self.actor is SYSTEM:
            return Breadth.ALL
        if permission in self.denied:
            return Breadth.DENIED
        if permission in self.permissions or permission in self.allowed:
            return Breadth.ALL
        if permission + OWN in self.permissions:
            return Breadth.OWN
        return Breadth.NONE

    def scope(self, permission: str) -> Breadth:
        """Return how far the key of the request reaches: every record, own ones, or none."""
        if self.ceiling is None or permission in self.ceiling:
            return Breadth.ALL
        return Breadth.OWN if permission + OWN in self.ceiling else Breadth.NONE

    def has(self, permission: str) -> bool:
        """Tell whether the principal has a permission as a whole: for every record, within the scope of its key.

        Having it for own records is not enough: where no record is asked about, nothing would limit it to those.
        """
        return self.breadth(permission) is Breadth.ALL and self.scope(permission) is Breadth.ALL

    def has_for_own(self, permission: str) -> bool:
        """Tell whether the principal has a permission at least for its own records, within the scope of its key."""
        enough = (Breadth.ALL, Breadth.OWN)
        return self.breadth(permission) in enough and self.scope(permission) in enough

    def holds(self, permission: str) -> bool:
        """Tell whether the roles give a permission, and the key lets it through: what one may pass on to others.

        Grants are not asked: what one was lent is not one's own to give. ``…:own`` is held by whoever holds it all.
        """
        if self.is_system:
            return True
        whole = permission.removesuffix(OWN)
        given = permission in self.permissions or whole in self.permissions
        return given and (self.ceiling is None or permission in self.ceiling or whole in self.ceiling)

    def require(self, permission: str) -> None:
        """Raise `NotPermitted` unless the principal has the permission as a whole."""
        if not self.has(permission):
            raise NotPermitted(f"This needs the permission {permission}.", permission=permission)

    def require_role(self, minimum: Role) -> None:
        """Raise `NotPermitted` unless a role is, or counts as, at least `minimum`.

        A key with a scope of its own never passes: a role is more than its permissions.
        """
        if self.rank is None or not self.rank.covers(minimum) or self.ceiling is not None:
            raise NotPermitted(f"This needs the role {minimum}.")
