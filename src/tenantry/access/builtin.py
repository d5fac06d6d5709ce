"""The permissions that the framework itself asks for."""

from __future__ import annotations

from tenantry.access.permissions import Permissions
from tenantry.tenancy import Role

BUILTIN = (
    Permissions(
        "members",
        {"read": "See who belongs to the tenant.", "manage": "Add, change and remove members and invitations."},
        {Role.OWNER: {"*"}},
    ),
    Permissions(
        "tenant",
        {"update": "Change the tenant's name, slug and settings."},
        {Role.OWNER: {"*"}},
    ),
)
