"""What is remembered about tenants and members between requests, and under which keys changes are announced."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from tenantry.database import Placement, PlacementKind, Row
from tenantry.kernel import TenantId
from tenantry.tenancy.models import TenantStatus


@dataclass(frozen=True, slots=True)
class TenantFacts:
    """What a request needs to know of its tenant."""

    id: TenantId
    slug: str
    name: str
    status: str
    placement: Placement
    granted: frozenset[str] = frozenset()
    """Which resources grants may exist for; for all others there are none."""

    @classmethod
    def of(cls, row: Row) -> TenantFacts:
        """Return the facts in a row of the tenants' columns."""
        return cls(
            TenantId(row["id"]), row["slug"], row["name"], row["status"], placement_of(row), frozenset(row["granted"])
        )

    @property
    def is_active(self) -> bool:
        """Whether its members may work in it."""
        return self.status == TenantStatus.ACTIVE


@dataclass(frozen=True, slots=True)
class Membership:
    """A person's verified place in a tenant."""

    tenant: TenantFacts
    role: str
    teams: tuple[UUID, ...] = ()
    """The teams the person is in, and every team above those."""
    team_roles: tuple[str, ...] = ()
    """The roles that those teams give."""


def placement_of(row: Row) -> Placement:
    """Return the placement that a row of the tenants' columns names. `ValueError` for a schema that is no tenant's."""
    if row["placement_kind"] == PlacementKind.POOL:
        return Placement.pool()
    return Placement.of_schema(row["placement_schema"])


def tenant_key(tenant_id: UUID) -> str:
    """Return the key of a tenant's `TenantFacts`."""
    return f"tenant:{tenant_id}"


def slug_key(slug: str) -> str:
    """Return the key of the id (as text) that belongs to a slug."""
    return f"slug:{slug}"


def member_key(tenant_id: UUID, user_id: UUID) -> str:
    """Return the key of a person's role in a tenant."""
    return f"member:{tenant_id}:{user_id}"


def count_key(tenant_id: UUID) -> str:
    """Return the key of the number of a tenant's members."""
    return f"members:{tenant_id}"


def keys_of_members(tenant_id: UUID, *user_ids: UUID) -> tuple[str, ...]:
    """Return the keys to announce when these people join, leave or change."""
    return (count_key(tenant_id), *(member_key(tenant_id, user_id) for user_id in user_ids))
