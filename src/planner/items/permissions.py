"""Who may do what with items."""

from tenantry.access import Permissions, Role

ITEMS = Permissions(
    "items",
    {
        "read": "Read items.",
        "create": "Create items.",
        "update": "Change items.",
        "delete": "Delete and restore items.",
        "grant": "Give and take grants on items.",
        "purge": "Remove items for good.",
    },
    {
        Role.VIEWER: {"read"},
        Role.MANAGER: {"create", "update"},
        Role.OWNER: {"*"},
    },
)
