"""Who may do what with access."""

from tenantry.access import Permissions, Role

ACCESS_PERMISSIONS = Permissions(
    "access",
    {"explain": "See why somebody may or may not do something, and who may."},
    {Role.OWNER: {"*"}},
)
