"""The permissions that the framework itself asks for."""

from __future__ import annotations

from tenantry.access.permissions import Permissions
from tenantry.tenancy import Role

OWNED = frozenset({"api-keys:read", "api-keys:delete"})
"""Those that can be held for own records: the keys of whoever acts. Of the others, ``…:own`` gives nothing."""

BUILTIN = (
    Permissions(
        "members",
        {"read": "See who belongs to the tenant.", "manage": "Add, change and remove members and invitations."},
        {Role.OWNER: {"*"}},
    ),
    Permissions(
        "teams",
        {"read": "See teams and who is in them.", "manage": "Create, change and delete teams, and who is in them."},
        {Role.OWNER: {"*"}},
    ),
    Permissions(
        "roles",
        {"read": "See the roles of the tenant.", "manage": "Create, change and delete roles."},
        {Role.OWNER: {"*"}},
    ),
    Permissions(
        "service-accounts",
        {"read": "See service accounts.", "manage": "Create, change and delete service accounts and their keys."},
        {Role.OWNER: {"*"}},
    ),
    Permissions(
        "api-keys",
        {
            "create": "Create keys for oneself.",
            "read": "See the keys of everybody (own: one's own).",
            "delete": "Delete the keys of everybody (own: one's own).",
        },
        {Role.MEMBER: {"create", "read:own", "delete:own"}, Role.OWNER: {"*"}},
    ),
    Permissions(
        "grants",
        {"read": "See grants on whole resources.", "manage": "Give and take grants on whole resources."},
        {Role.OWNER: {"*"}},
    ),
    Permissions(
        "access",
        {"explain": "See why somebody may or may not do something, and who may."},
        {Role.OWNER: {"*"}},
    ),
    Permissions(
        "tenant",
        {"update": "Change the tenant's name, slug and settings."},
        {Role.OWNER: {"*"}},
    ),
)
