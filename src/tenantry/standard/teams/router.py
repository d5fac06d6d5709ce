"""Teams over HTTP."""

from __future__ import annotations

from tenantry.resources import Operation, ResourceRouter
from tenantry.standard.teams.schemas import TeamCreate, TeamMemberAdd, TeamUpdate
from tenantry.standard.teams.service import TeamMemberService, TeamService

teams = ResourceRouter(
    TeamService,
    "/teams",
    create=TeamCreate,
    update=TeamUpdate,
    filters={"parent_id", "role", "created_at"},
    sort={"name", "created_at"},
    default_sort="name",
    search={"name"},
    id_in_path="team_id",
)

team_members = ResourceRouter(
    TeamMemberService,
    "/teams/{team_id}/members",
    create=TeamMemberAdd,
    operations={Operation.LIST, Operation.CREATE, Operation.DELETE},
    filters={"created_at"},
    sort={"name", "created_at"},
    default_sort="created_at",
    search={"name", "email"},
    id_in_path="user_id",
    name="teams_members",
    tag="teams",
)
