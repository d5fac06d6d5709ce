"""The roles of a tenant's own, as they are remembered between requests. Only whoever holds one asks for them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from tenantry.access.roles.repository import ALL_ROLES
from tenantry.database import UnitOfWork
from tenantry.runtime import PermissionMeanings


@dataclass(frozen=True, slots=True)
class RoleFacts:
    """A role: its subject id, the built-in role that it counts as, and the single permissions that it gives."""

    id: UUID
    name: str
    counts_as: str
    permissions: frozenset[str]


async def read_roles(uow: UnitOfWork, tenant_id: UUID, catalog: PermissionMeanings) -> dict[str, RoleFacts]:
    """Return the tenant's roles by name, as they are now."""
    rows = await uow.all(ALL_ROLES, tenant_id=tenant_id)
    return {
        row["name"]: RoleFacts(row["id"], row["name"], row["counts_as"], catalog.expand(row["permissions"]))
        for row in rows
    }


def roles_key(tenant_id: UUID) -> str:
    """Return the key of the tenant's roles."""
    return f"roles:{tenant_id}"
