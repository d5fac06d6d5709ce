"""The failures of identity. Those of signing in say little: what the owner is told, a thief is told too."""

from __future__ import annotations

from tenantry.kernel import (
    BadRequest,
    Conflict,
    Kind,
    NotFound,
    PermissionDenied,
    TenantryError,
    Unauthenticated,
    Unavailable,
)


class EmailTaken(Conflict):
    """A user with this e-mail address exists."""


class NotSignedIn(Unauthenticated):
    """Sign in first: this needs an access token."""


class InvalidAccessToken(Unauthenticated):
    """The access token is not valid, or its session has ended."""


class InvalidCredentials(Unauthenticated):
    """The e-mail address or the password is wrong."""


class InvalidRefreshToken(Unauthenticated):
    """The refresh token is not valid, or its session has ended."""


class InvalidOneTimeToken(BadRequest):
    """This link is not valid, has expired or was used."""


class TooManyAttempts(TenantryError):
    """Too many attempts; try again later."""

    kind = Kind.RATE_LIMITED


class PasswordsBusy(Unavailable):
    """Too many people are signing in at the moment."""


class NotPlatformAdmin(PermissionDenied):
    """This is for platform administrators."""


class UserNotFound(NotFound):
    """There is no such user."""


class SessionNotFound(NotFound):
    """There is no such session."""
