"""Who may do what with api keys."""

from tenantry.access import Permissions, Role

API_KEYS_PERMISSIONS = Permissions(
    "api-keys",
    {
        "create": "Create keys for oneself.",
        "read": "See the keys of everybody (own: one's own).",
        "delete": "Delete the keys of everybody (own: one's own).",
    },
    {Role.MEMBER: {"create", "read:own", "delete:own"}, Role.OWNER: {"*"}},
)

OWNED = frozenset({"api-keys:read", "api-keys:delete"})
"""Those that can be held for own records: the keys of whoever acts. Of others, ``…:own`` gives nothing."""
