"""Who may do what with tasks."""

from tenantry.access import Permissions, Role

TASKS = Permissions(
    "tasks",
    {
        "read": "Read tasks.",
        "create": "Create tasks.",
        "update": "Change tasks.",
        "delete": "Delete and restore any task (own: those one created).",
        "grant": "Give and take grants on tasks.",
        "purge": "Remove tasks for good.",
    },
    {
        Role.VIEWER: {"read"},
        Role.MEMBER: {"create", "update", "delete:own"},
        Role.MANAGER: {"delete"},
        Role.OWNER: {"*"},
    },
)
