"""Who may do what with tenant."""

from tenantry.access import Permissions, Role

TENANT_PERMISSIONS = Permissions(
    "tenant",
    {"update": "Change the tenant's name, slug and settings."},
    {Role.OWNER: {"*"}},
)
