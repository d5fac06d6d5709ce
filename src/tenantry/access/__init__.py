"""Who may do what: roles, permissions, the decision order, and the principal that carries the answer."""

from tenantry.access.about import Reads, about_readable
from tenantry.access.builtin import BUILTIN
from tenantry.access.checking import existence, refusal, require_anywhere, require_on_record
from tenantry.access.decision import Decision, Line
from tenantry.access.denials import Denial, DenialTrail
from tenantry.access.dependencies import (
    Access,
    RequestAccess,
    current_access,
    member,
    require_permission,
    require_role,
)
from tenantry.access.errors import FieldNotPermitted, NotPermitted, RecordNotFound
from tenantry.access.gate import AccessGate
from tenantry.access.models import MODELS, Grant
from tenantry.access.permissions import OWN, PermissionCatalog, Permissions
from tenantry.access.principal import Extent, Principal
from tenantry.access.principals import Principals
from tenantry.access.resource import (
    SUBJECTS,
    Extents,
    GrantFacts,
    Parent,
    Reach,
    RecordFacts,
    ResourceAccess,
)
from tenantry.access.sessions import VisibleRows
from tenantry.access.type_grants import ANY_TYPE, TypeGrantBook, TypeGrantFacts
from tenantry.tenancy import Role

__all__ = [
    "ANY_TYPE",
    "BUILTIN",
    "MODELS",
    "OWN",
    "SUBJECTS",
    "Access",
    "AccessGate",
    "Decision",
    "Denial",
    "DenialTrail",
    "Extent",
    "Extents",
    "FieldNotPermitted",
    "Grant",
    "GrantFacts",
    "Line",
    "NotPermitted",
    "Parent",
    "PermissionCatalog",
    "Permissions",
    "Principal",
    "Principals",
    "Reach",
    "Reads",
    "RecordFacts",
    "RecordNotFound",
    "RequestAccess",
    "ResourceAccess",
    "Role",
    "TypeGrantBook",
    "TypeGrantFacts",
    "VisibleRows",
    "about_readable",
    "current_access",
    "existence",
    "member",
    "refusal",
    "require_anywhere",
    "require_on_record",
    "require_permission",
    "require_role",
]
