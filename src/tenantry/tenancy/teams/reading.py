"""Reading teams in a transaction that is open: what is decided by them is decided by what they are now."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Select, Uuid, bindparam, select
from sqlalchemy.orm import aliased

from tenantry.database import Statement, UnitOfWork
from tenantry.tenancy.models import Team, TeamMember
from tenantry.tenancy.teams.facts import TeamFacts, TeamTree

teams = Team.__table__.c
team_members = TeamMember.__table__.c

_TENANT = bindparam("tenant_id", type_=Uuid)
_USER = bindparam("user_id", type_=Uuid)

_ALL_TEAMS = Statement(select(teams.id, teams.parent_id, teams.role).where(teams.tenant_id == _TENANT))


def _team_roles() -> Select[str]:
    """Return the roles that the teams of a person, and all above them, give."""
    own = (
        select(teams.id, teams.parent_id, teams.role)
        .join_from(TeamMember, Team, (teams.tenant_id == team_members.tenant_id) & (teams.id == team_members.team_id))
        .where(team_members.tenant_id == _TENANT, team_members.user_id == _USER)
        .cte("own", recursive=True)
    )
    above = aliased(Team, name="above")
    climbed = own.union(
        select(above.id, above.parent_id, above.role).where(above.tenant_id == _TENANT, above.id == own.c.parent_id)
    )
    return select(climbed.c.role).where(climbed.c.role.is_not(None)).distinct()


_ROLES_OF_MEMBER = Statement(_team_roles())


async def read_tree(uow: UnitOfWork, tenant_id: UUID) -> TeamTree:
    """Return every team of the tenant."""
    rows = await uow.all(_ALL_TEAMS, tenant_id=tenant_id)
    return TeamTree({row["id"]: TeamFacts(row["parent_id"], row["role"]) for row in rows})


async def team_roles_of(uow: UnitOfWork, tenant_id: UUID, user_id: UUID) -> tuple[str, ...]:
    """Return the roles that somebody has by teams."""
    rows = await uow.all(_ROLES_OF_MEMBER, tenant_id=tenant_id, user_id=user_id)
    return tuple(row["role"] for row in rows)
