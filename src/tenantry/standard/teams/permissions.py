"""Who may do what with teams."""

from tenantry.access import Permissions, Role

TEAMS_PERMISSIONS = Permissions(
    "teams",
    {"read": "See teams and who is in them.", "manage": "Create, change and delete teams, and who is in them."},
    {Role.OWNER: {"*"}},
)
