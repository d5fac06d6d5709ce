"""What is asked of teams while it is decided who may do what, compiled once. Each statement names its tenant."""

from __future__ import annotations

from sqlalchemy import Select, Uuid, bindparam, select
from sqlalchemy.orm import aliased

from tenantry.database import Statement
from tenantry.tenancy.models import Team, TeamMember

teams = Team.__table__.c
team_members = TeamMember.__table__.c

_TENANT = bindparam("tenant_id", type_=Uuid)
_USER = bindparam("user_id", type_=Uuid)

ALL_TEAMS = Statement(select(teams.id, teams.parent_id, teams.role).where(teams.tenant_id == _TENANT))


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


TEAM_ROLES_OF_MEMBER = Statement(_team_roles())
