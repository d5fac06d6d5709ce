"""Who may do what with members."""

from tenantry.access import Permissions, Role

MEMBERS_PERMISSIONS = Permissions(
    "members",
    {"read": "See who belongs to the tenant.", "manage": "Add, change and remove members and invitations."},
    {Role.OWNER: {"*"}},
)
