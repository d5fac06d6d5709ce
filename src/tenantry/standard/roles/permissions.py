"""Who may do what with roles."""

from tenantry.access import Permissions, Role

ROLES_PERMISSIONS = Permissions(
    "roles",
    {"read": "See the roles of the tenant.", "manage": "Create, change and delete roles."},
    {Role.OWNER: {"*"}},
)
