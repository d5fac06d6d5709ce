"""Every statement of teams, compiled once, and their lists. Each names its tenant."""

from __future__ import annotations

from sqlalchemy import Select, Uuid, bindparam, delete, func, insert, select, update
from sqlalchemy.orm import aliased

from tenantry.database import Statement
from tenantry.identity import User
from tenantry.tenancy.models import Team, TeamMember
from tenantry.tenancy.row_list import RowList

teams = Team.__table__.c
team_members = TeamMember.__table__.c
users = User.__table__.c

_TENANT = bindparam("tenant_id", type_=Uuid)
_TEAM = bindparam("team_id", type_=Uuid)
_USER = bindparam("user_id", type_=Uuid)
_TEAM_FIELDS = (
    teams.id,
    teams.name,
    teams.parent_id,
    teams.role,
    teams.created_at,
    teams.updated_at,
    teams.version,
)

ALL_TEAMS = Statement(select(teams.id, teams.parent_id, teams.role).where(teams.tenant_id == _TENANT))

TEAM_BY_ID = Statement(select(*_TEAM_FIELDS).where(teams.tenant_id == _TENANT, teams.id == _TEAM))

INSERT_TEAM = Statement(
    insert(Team)
    .values(
        tenant_id=_TENANT,
        id=_TEAM,
        name=bindparam("name"),
        parent_id=bindparam("parent_id", type_=Uuid),
        role=bindparam("role"),
    )
    .returning(*_TEAM_FIELDS),
    writes=True,
)

UPDATE_TEAM = Statement(
    update(Team)
    .where(teams.tenant_id == _TENANT, teams.id == _TEAM)
    .values(
        name=bindparam("new_name"),
        parent_id=bindparam("new_parent_id", type_=Uuid),
        role=bindparam("new_role"),
        updated_at=func.now(),
        version=teams.version + 1,
    )
    .returning(*_TEAM_FIELDS),
    writes=True,
)

DELETE_TEAM = Statement(delete(Team).where(teams.tenant_id == _TENANT, teams.id == _TEAM), writes=True)

INSERT_TEAM_MEMBER = Statement(insert(TeamMember).values(tenant_id=_TENANT, team_id=_TEAM, user_id=_USER), writes=True)

DELETE_TEAM_MEMBER = Statement(
    delete(TeamMember).where(
        team_members.tenant_id == _TENANT, team_members.team_id == _TEAM, team_members.user_id == _USER
    ),
    writes=True,
)

_TEAM_MEMBER = (
    select(team_members.user_id.label("id"), team_members.user_id, users.name, users.email, team_members.created_at)
    .join_from(TeamMember, User, users.id == team_members.user_id)
    .where(team_members.tenant_id == _TENANT, team_members.team_id == _TEAM)
)

TEAM_MEMBER_BY_ID = Statement(_TEAM_MEMBER.where(team_members.user_id == _USER))


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

# Lists

TEAMS = RowList(
    select(*_TEAM_FIELDS).where(teams.tenant_id == _TENANT),
    filters={"parent_id", "role", "created_at"},
    sorts={"name", "created_at"},
    search={"name"},
    default_sort="name",
)

TEAM_MEMBERS = RowList(
    _TEAM_MEMBER,
    filters={"created_at"},
    sorts={"name", "created_at"},
    search={"name", "email"},
    default_sort="created_at",
)
