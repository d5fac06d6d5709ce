"""Who may do what with grants."""

from tenantry.access import Permissions, Role

GRANTS_PERMISSIONS = Permissions(
    "grants",
    {"read": "See grants on whole resources.", "manage": "Give and take grants on whole resources."},
    {Role.OWNER: {"*"}},
)
