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
from tenantry.access.errors import FieldNotPermitted, NotPermitted, RecordNotFound, ServiceAccountNotFound
from tenantry.access.explain import About, Asked, Explanation, Page, ShownGrant, WhoCanPage
from tenantry.access.gate import AccessGate
from tenantry.access.granted import SUBJECTS, TENANT
from tenantry.access.grants import record_grants_router
from tenantry.access.keys import KEYS_OF_ACCOUNT, api_key_key, require_person
from tenantry.access.models import MODELS, Grant, ServiceAccount
from tenantry.access.permissions import OWN, PermissionCatalog, Permissions
from tenantry.access.principal import Breadth, Principal
from tenantry.access.principals import Principals
from tenantry.access.resource import (
    GrantFacts,
    Parent,
    Permit,
    Permits,
    RecordFacts,
    ResourceAccess,
)
from tenantry.access.roles import RoleDelegation, acting_of
from tenantry.access.routers import access_routers
from tenantry.access.service import AccessService
from tenantry.access.sessions import VisibleRows
from tenantry.access.type_grants import ANY_TYPE, TypeGrantCache, TypeGrantFacts
from tenantry.tenancy import Role

__all__ = [
    "ANY_TYPE",
    "BUILTIN",
    "KEYS_OF_ACCOUNT",
    "MODELS",
    "OWN",
    "SUBJECTS",
    "TENANT",
    "About",
    "Access",
    "AccessGate",
    "AccessService",
    "Asked",
    "Breadth",
    "Decision",
    "Denial",
    "DenialTrail",
    "Explanation",
    "FieldNotPermitted",
    "Grant",
    "GrantFacts",
    "Line",
    "NotPermitted",
    "Page",
    "Parent",
    "PermissionCatalog",
    "Permissions",
    "Permit",
    "Permits",
    "Principal",
    "Principals",
    "Reads",
    "RecordFacts",
    "RecordNotFound",
    "RequestAccess",
    "ResourceAccess",
    "Role",
    "RoleDelegation",
    "ServiceAccount",
    "ServiceAccountNotFound",
    "ShownGrant",
    "TypeGrantCache",
    "TypeGrantFacts",
    "VisibleRows",
    "WhoCanPage",
    "about_readable",
    "access_routers",
    "acting_of",
    "addition",
    "api_key_key",
    "current_access",
    "existence",
    "member",
    "record_grants_router",
    "refusal",
    "require_anywhere",
    "require_on_record",
    "require_permission",
    "require_person",
    "require_role",
]
