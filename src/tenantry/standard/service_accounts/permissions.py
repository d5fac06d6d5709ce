"""Who may do what with service accounts."""

from tenantry.access import Permissions, Role

SERVICE_ACCOUNTS_PERMISSIONS = Permissions(
    "service-accounts",
    {"read": "See service accounts.", "manage": "Create, change and delete service accounts and their keys."},
    {Role.OWNER: {"*"}},
)
