"""Teams of a tenant, and who is in them."""

from pathlib import Path

from tenantry.module import Module
from tenantry.standard.teams.permissions import TEAMS_PERMISSIONS
from tenantry.standard.teams.router import team_members, teams
from tenantry.standard.teams.schemas import TeamCreate, TeamMemberAdd, TeamRead, TeamUpdate
from tenantry.standard.teams.service import TeamMemberService, TeamService

module = Module("teams", permissions=TEAMS_PERMISSIONS, routers=(teams, team_members), folder=Path(__file__).parent)

__all__ = [
    "TeamCreate",
    "TeamMemberAdd",
    "TeamMemberService",
    "TeamRead",
    "TeamService",
    "TeamUpdate",
    "module",
    "team_members",
    "teams",
]
