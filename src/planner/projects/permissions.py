"""Who may do what with projects."""

from tenantry.access import Permissions, Role

PROJECTS = Permissions(
    "projects",
    {
        "read": "Read projects.",
        "create": "Create projects.",
        "update": "Change any project (own: own projects while they are drafts).",
        "delete": "Delete and restore projects.",
        "purge": "Remove projects for good.",
        "transfer": "Give projects to another owner.",
        "budget": "See and set the budgets of projects.",
        "grant": "Give and take grants on projects.",
    },
    {
        Role.VIEWER: {"read"},
        Role.MEMBER: {"create", "update:own"},
        Role.MANAGER: {"update", "budget"},
        Role.OWNER: {"*"},
    },
)
