"""Who may do what: roles, permissions, the decision order, and the principal that carries the answer."""

from tenantry.access.builtin import BUILTIN
from tenantry.access.decision import ACTOR, Extent, Extents, Parent, ResourceAccess
from tenantry.access.dependencies import (
    Access,
    RequestAccess,
    current_access,
    member,
    require_permission,
    require_role,
)
from tenantry.access.errors import NotPermitted
from tenantry.access.gate import AccessGate
from tenantry.access.models import MODELS
from tenantry.access.permissions import OWN, PermissionCatalog, Permissions
from tenantry.access.principal import Principal
from tenantry.tenancy import Role

__all__ = [
    "ACTOR",
    "BUILTIN",
    "MODELS",
    "OWN",
    "Access",
    "AccessGate",
    "Extent",
    "Extents",
    "NotPermitted",
    "Parent",
    "PermissionCatalog",
    "Permissions",
    "Principal",
    "RequestAccess",
    "ResourceAccess",
    "Role",
    "current_access",
    "member",
    "require_permission",
    "require_role",
]
