"""Who somebody is: users, passwords, sessions and tokens. Users are global; memberships are tenancy's."""

from tenantry.identity.addresses import email_key
from tenantry.identity.authenticator import Authenticator, Identity, SessionFact, session_key
from tenantry.identity.caller import Caller
from tenantry.identity.dependencies import (
    TOKEN_URL,
    CurrentCaller,
    CurrentIdentity,
    PlatformAdmin,
    bearer_token,
    caller_of,
    identity_service,
    person,
    require_platform_admin,
    signed_in,
)
from tenantry.identity.errors import (
    EmailTaken,
    InvalidAccessToken,
    InvalidCredentials,
    InvalidOneTimeToken,
    InvalidRefreshToken,
    NotPlatformAdmin,
    NotSignedIn,
    PasswordsBusy,
    SessionNotFound,
    TooManyAttempts,
    UserNotFound,
)
from tenantry.identity.keys import Keyring, TokenKey, derived_key, keyring_of, read_key
from tenantry.identity.mails import Courier
from tenantry.identity.models import SUPERADMIN, OneTimeToken, Session, Throttle, User
from tenantry.identity.profiles import Profile
from tenantry.identity.router import ROUTERS
from tenantry.identity.service import IdentityService
from tenantry.identity.sessions import EndReason, MembershipOf, SessionSummary, TokenPair
from tenantry.identity.settings import IdentitySettings

__all__ = [
    "ROUTERS",
    "SUPERADMIN",
    "TOKEN_URL",
    "Authenticator",
    "Caller",
    "Courier",
    "CurrentCaller",
    "CurrentIdentity",
    "EmailTaken",
    "EndReason",
    "Identity",
    "IdentityService",
    "IdentitySettings",
    "InvalidAccessToken",
    "InvalidCredentials",
    "InvalidOneTimeToken",
    "InvalidRefreshToken",
    "Keyring",
    "MembershipOf",
    "NotPlatformAdmin",
    "NotSignedIn",
    "OneTimeToken",
    "PasswordsBusy",
    "PlatformAdmin",
    "Profile",
    "Session",
    "SessionFact",
    "SessionNotFound",
    "SessionSummary",
    "Throttle",
    "TokenKey",
    "TokenPair",
    "TooManyAttempts",
    "User",
    "UserNotFound",
    "bearer_token",
    "caller_of",
    "derived_key",
    "email_key",
    "identity_service",
    "keyring_of",
    "person",
    "read_key",
    "require_platform_admin",
    "session_key",
    "signed_in",
]
