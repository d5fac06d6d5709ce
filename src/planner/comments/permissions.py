"""Who may do what with comments."""

from tenantry.access import Permissions, Role

COMMENTS = Permissions(
    "comments",
    {
        "read": "Read comments.",
        "create": "Comment on tasks.",
        "update": "Change any comment (own: those one wrote).",
        "delete": "Delete and restore any comment (own: those one wrote).",
        "purge": "Remove comments for good.",
    },
    {
        Role.VIEWER: {"read"},
        Role.MEMBER: {"create", "update:own", "delete:own"},
        Role.MANAGER: {"update", "delete"},
        Role.OWNER: {"*"},
    },
)
