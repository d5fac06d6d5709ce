"""Who does something in a tenant, as the services of tenancy need it: without HTTP, without permissions."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from tenantry.kernel import SYSTEM, Actor, ActorKind
from tenantry.tenancy.roles import Role


@dataclass(frozen=True, slots=True)
class Acting:
    """An actor in one tenant, with the role it acts in. That it may act at all was decided before."""

    tenant_id: UUID
    actor: Actor
    role: str
    request_id: str | None = None
    ceiling: frozenset[str] | None = None
    """What an API key is limited to, as permissions; None where nothing but the role limits."""
    user_id: UUID | None = None
    """The person or service account in whose name is acted, where the actor is not it itself."""

    @classmethod
    def as_system(cls, tenant_id: UUID) -> Acting:
        """Return the application itself: the seed, the command line, platform administration."""
        return cls(tenant_id, SYSTEM, Role.OWNER)

    @property
    def is_system(self) -> bool:
        """Whether the application itself acts, which nothing limits."""
        return self.actor.kind is ActorKind.SYSTEM and self.user_id is None

    @property
    def holder_id(self) -> UUID | None:
        """The person or service account whose roles must still hold when the change is written; None for the
        application itself."""
        return self.user_id or self.actor.id
