"""Ground floor: errors, ids, clock, context and the settings base. Knows nothing above it."""

from tenantry.kernel.actor import SYSTEM, Actor, ActorKind
from tenantry.kernel.clock import Clock, FrozenClock, SystemClock
from tenantry.kernel.english import with_article
from tenantry.kernel.errors import (
    BadRequest,
    ConfigurationError,
    Conflict,
    FieldError,
    InvalidInput,
    Kind,
    NotFound,
    PermissionDenied,
    StaleVersion,
    TenantryError,
    Unauthenticated,
    Unavailable,
)
from tenantry.kernel.ids import SessionId, TenantId, UserId, new_id
from tenantry.kernel.settings import LISTED, PREFIX, Environment, SettingsGroup, load_settings
from tenantry.kernel.versions import ExpectedVersion, require_version, stale_version, versions_of

__all__ = [
    "LISTED",
    "PREFIX",
    "SYSTEM",
    "Actor",
    "ActorKind",
    "BadRequest",
    "Clock",
    "ConfigurationError",
    "Conflict",
    "Environment",
    "ExpectedVersion",
    "FieldError",
    "FrozenClock",
    "InvalidInput",
    "Kind",
    "NotFound",
    "PermissionDenied",
    "SessionId",
    "SettingsGroup",
    "StaleVersion",
    "SystemClock",
    "TenantId",
    "TenantryError",
    "Unauthenticated",
    "Unavailable",
    "UserId",
    "load_settings",
    "new_id",
    "require_version",
    "stale_version",
    "versions_of",
    "with_article",
]
