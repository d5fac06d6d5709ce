"""Who may do what.

The rule: `decision` is its order, `resource` says what the lines of the order mean, in SQL (with `granted`) and in
memory (with `question`). `checking`, `about` and `sessions` apply it where no generated statement does.
Who asks: `gate` finds out who sent a request, `principals` and `standing` make a `principal` of it.
What a tenant adds: `roles`, `grants` (and `type_grants`, which the gate reads), `keys`.
What can be told afterwards: `explain` and `denials`.
"""

from tenantry.access.about import Reads, about_readable
from tenantry.access.checking import addition, existence, refusal, require_anywhere, require_on_record
from tenantry.access.context import AccessContext
from tenantry.access.decision import ORDER, Decision, Line
from tenantry.access.denials import Denial, DenialTrail
from tenantry.access.dependencies import Access, member, require_permission
from tenantry.access.errors import (
    ApiKeyNotFound,
    BeyondOwnPermissions,
    FieldNotPermitted,
    GrantExists,
    GrantExpired,
    GrantNotFound,
    NotPermitted,
    RecordNotFound,
    RoleInUse,
    RoleNameTaken,
    RoleNotFound,
    ServiceAccountNotFound,
    ServiceAccountSuspended,
    TooManyGrants,
    UnknownPermission,
    UnknownResource,
    UnknownSubject,
)
from tenantry.access.gate import AccessGate
from tenantry.access.grant_facts import GrantFacts
from tenantry.access.granted import SUBJECTS, TENANT
from tenantry.access.keys.facts import api_key_key
from tenantry.access.keys.repository import KEYS_OF_ACCOUNTS
from tenantry.access.keys.secrets import NewSecret
from tenantry.access.models import (
    MAX_PERMISSION,
    MAX_ROLE_NAME,
    MODELS,
    ApiKey,
    CustomRole,
    Effect,
    Grant,
    ServiceAccount,
    SubjectType,
    TypeGrant,
)
from tenantry.access.permissions import OWN, PermissionCatalog, Permissions
from tenantry.access.permit import Permit, Permits
from tenantry.access.principal import Breadth, Principal
from tenantry.access.principal_building import PrincipalFacts, build_principal, key_ceiling, role_permissions
from tenantry.access.question import Question
from tenantry.access.resource import Parent, RecordFacts, ResourceAccess
from tenantry.access.roles.authority import RoleDelegation, answers_for
from tenantry.access.roles.facts import RoleFacts, read_roles, roles_key
from tenantry.access.roles.repository import type_grants
from tenantry.access.service import AccessService
from tenantry.access.sponsors import suspend_unanswered
from tenantry.access.subjects import BUILT_IN_IDS
from tenantry.access.type_grants import ANY_TYPE, read_type_grants, type_grants_key
from tenantry.tenancy import Role

__all__ = [
    "ANY_TYPE",
    "BUILT_IN_IDS",
    "KEYS_OF_ACCOUNTS",
    "MAX_PERMISSION",
    "MAX_ROLE_NAME",
    "MODELS",
    "ORDER",
    "OWN",
    "SUBJECTS",
    "TENANT",
    "Access",
    "AccessContext",
    "AccessGate",
    "AccessService",
    "ApiKey",
    "ApiKeyNotFound",
    "BeyondOwnPermissions",
    "Breadth",
    "CustomRole",
    "Decision",
    "Denial",
    "DenialTrail",
    "Effect",
    "FieldNotPermitted",
    "Grant",
    "GrantExists",
    "GrantExpired",
    "GrantFacts",
    "GrantNotFound",
    "Line",
    "NewSecret",
    "NotPermitted",
    "Parent",
    "PermissionCatalog",
    "Permissions",
    "Permit",
    "Permits",
    "Principal",
    "PrincipalFacts",
    "Question",
    "Reads",
    "RecordFacts",
    "RecordNotFound",
    "ResourceAccess",
    "Role",
    "RoleDelegation",
    "RoleFacts",
    "RoleInUse",
    "RoleNameTaken",
    "RoleNotFound",
    "ServiceAccount",
    "ServiceAccountNotFound",
    "ServiceAccountSuspended",
    "SubjectType",
    "TooManyGrants",
    "TypeGrant",
    "UnknownPermission",
    "UnknownResource",
    "UnknownSubject",
    "about_readable",
    "addition",
    "answers_for",
    "api_key_key",
    "build_principal",
    "existence",
    "key_ceiling",
    "member",
    "read_roles",
    "read_type_grants",
    "refusal",
    "require_anywhere",
    "require_on_record",
    "require_permission",
    "role_permissions",
    "roles_key",
    "suspend_unanswered",
    "type_grants",
    "type_grants_key",
]
