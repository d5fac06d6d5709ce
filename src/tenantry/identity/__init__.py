"""Who somebody is: users, passwords, sessions and tokens. Users are global; memberships are tenancy's."""

from tenantry.identity.addresses import email_key, subscriber
from tenantry.identity.authenticator import Authenticator, Identity, user_key
from tenantry.identity.caller import Caller
from tenantry.identity.dependencies import (
    TOKEN_URL,
    CurrentCaller,
    CurrentIdentity,
    CurrentIdentityService,
    PlatformAdmin,
    bearer_token,
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
from tenantry.identity.links import Purpose
from tenantry.identity.models import SUPERADMIN, OneTimeToken, Session, Throttle, User
from tenantry.identity.passwords import MAX_PASSWORD, UNUSABLE_PASSWORD, PasswordCheck
from tenantry.identity.service import IdentityService
from tenantry.identity.sessions import EndReason, TokenPair
from tenantry.identity.settings import IdentitySettings
from tenantry.identity.throttling import Attempt, Limit, admit, give_back

__all__ = [
    "MAX_PASSWORD",
    "SUPERADMIN",
    "TOKEN_URL",
    "UNUSABLE_PASSWORD",
    "Attempt",
    "Authenticator",
    "Caller",
    "CurrentCaller",
    "CurrentIdentity",
    "CurrentIdentityService",
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
    "Limit",
    "NotPlatformAdmin",
    "NotSignedIn",
    "OneTimeToken",
    "PasswordCheck",
    "PasswordsBusy",
    "PlatformAdmin",
    "Purpose",
    "Session",
    "SessionNotFound",
    "Throttle",
    "TokenKey",
    "TokenPair",
    "TooManyAttempts",
    "User",
    "UserNotFound",
    "admit",
    "bearer_token",
    "derived_key",
    "email_key",
    "give_back",
    "keyring_of",
    "person",
    "read_key",
    "require_platform_admin",
    "signed_in",
    "subscriber",
    "user_key",
]
