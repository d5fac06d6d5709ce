"""Who may do what: roles, permissions, the decision order, and the principal that carries the answer."""

from tenantry.access.decision import ACTOR, Extent, Extents, NotPermitted, Parent, ResourceAccess
from tenantry.access.dependencies import (
    Access,
    CurrentIdentity,
    RequestAccess,
    current_access,
    current_identity,
    member,
    platform_administrator,
    require_permission,
    require_role,
)
from tenantry.access.gate import AccessGate
from tenantry.access.permissions import OWN, PermissionCatalog, Permissions
from tenantry.access.principal import Principal
from tenantry.access.roles import PlatformRole, Role

__all__ = [
    "ACTOR",
    "OWN",
    "Access",
    "AccessGate",
    "CurrentIdentity",
    "Extent",
    "Extents",
    "NotPermitted",
    "Parent",
    "PermissionCatalog",
    "Permissions",
    "PlatformRole",
    "Principal",
    "RequestAccess",
    "ResourceAccess",
    "Role",
    "current_access",
    "current_identity",
    "member",
    "platform_administrator",
    "require_permission",
    "require_role",
]
