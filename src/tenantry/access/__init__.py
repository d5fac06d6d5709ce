"""Who may do what.

The rule: `decision` is its order, `resource` says what the lines of the order mean, in SQL (with `granted`) and in
memory (with `question`). `checking`, `about` and `sessions` apply it where no generated statement does.
Who asks: `gate` finds out who sent a request, `principals` and `standing` make a `principal` of it.
What a tenant adds: `roles`, `grants` (and `type_grants`, which the gate reads), `keys`.
What can be told afterwards: `explain` and `denials`.
"""

from tenantry.access.about import Reads, about_readable
from tenantry.access.builtin import BUILTIN
from tenantry.access.checking import addition, existence, refusal, require_anywhere, require_on_record
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
from tenantry.access.explain import About, Asked, Explanation, Page, ShownGrant, WhoCanPage
from tenantry.access.gate import AccessGate
from tenantry.access.granted import SUBJECTS
from tenantry.access.grants import record_grants_router
from tenantry.access.models import MODELS, Grant
from tenantry.access.permissions import OWN, PermissionCatalog, Permissions
from tenantry.access.principal import Extent, Principal
from tenantry.access.principals import Principals
from tenantry.access.resource import (
    Extents,
    GrantFacts,
    Parent,
    Reach,
    RecordFacts,
    ResourceAccess,
)
from tenantry.access.routers import access_routers
from tenantry.access.service import AccessService
from tenantry.access.sessions import VisibleRows
from tenantry.access.type_grants import ANY_TYPE, TypeGrantBook, TypeGrantFacts
from tenantry.tenancy import Role

__all__ = [
    "ANY_TYPE",
    "BUILTIN",
    "MODELS",
    "OWN",
    "SUBJECTS",
    "About",
    "Access",
    "AccessGate",
    "AccessService",
    "Asked",
    "Decision",
    "Denial",
    "DenialTrail",
    "Explanation",
    "Extent",
    "Extents",
    "FieldNotPermitted",
    "Grant",
    "GrantFacts",
    "Line",
    "NotPermitted",
    "Page",
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
    "ShownGrant",
    "TypeGrantBook",
    "TypeGrantFacts",
    "VisibleRows",
    "WhoCanPage",
    "about_readable",
    "access_routers",
    "addition",
    "current_access",
    "existence",
    "member",
    "record_grants_router",
    "refusal",
    "require_anywhere",
    "require_on_record",
    "require_permission",
    "require_role",
]
