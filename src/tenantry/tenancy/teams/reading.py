"""Reading teams in a transaction that is open: what is decided by them is decided by what they are now."""

from __future__ import annotations

from uuid import UUID

from tenantry.database import UnitOfWork
from tenantry.tenancy.teams.facts import TeamFacts, TeamTree
from tenantry.tenancy.teams.repository import ALL_TEAMS, TEAM_ROLES_OF_MEMBER


async def read_tree(uow: UnitOfWork, tenant_id: UUID) -> TeamTree:
    """Return every team of the tenant."""
    rows = await uow.all(ALL_TEAMS, tenant_id=tenant_id)
    return TeamTree({row["id"]: TeamFacts(row["parent_id"], row["role"]) for row in rows})


async def team_roles_of(uow: UnitOfWork, tenant_id: UUID, user_id: UUID) -> tuple[str, ...]:
    """Return the roles that somebody has by teams."""
    rows = await uow.all(TEAM_ROLES_OF_MEMBER, tenant_id=tenant_id, user_id=user_id)
    return tuple(row["role"] for row in rows)
