"""What signing in takes and gives over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from tenantry.http import Email, InputSchema, MaxLen, OutputSchema, Password, ShortText, Slug
from tenantry.identity import MAX_PASSWORD

GivenPassword = Annotated[SecretStr, Field(max_length=MAX_PASSWORD)]
"""A password that is to be compared: a short one is wrong rather than invalid."""

OpaqueToken = Annotated[SecretStr, Field(max_length=200)]
"""A refresh token or the token of a mailed link."""


class RegisterRequest(InputSchema):
    """A new user."""

    email: Email
    password: Password
    name: ShortText


class LoginRequest(InputSchema):
    """E-mail address and password."""

    email: Email
    password: GivenPassword


class RefreshRequest(InputSchema):
    """The refresh token of the last pair."""

    refresh_token: OpaqueToken


class LogoutRequest(InputSchema):
    """The session to end; without a refresh token that of the access token."""

    refresh_token: OpaqueToken | None = None


class LinkRequest(InputSchema):
    """The token of a verification mail."""

    token: OpaqueToken


class PasswordResetRequest(InputSchema):
    """The address that a link is mailed to, if it belongs to a user."""

    email: Email


class NewPasswordRequest(InputSchema):
    """The token of the mail, and the new password."""

    token: OpaqueToken
    password: Password


class SwitchTenantRequest(InputSchema):
    """The tenant to act in: by id or by slug."""

    tenant_id: UUID | None = None
    slug: Slug | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.tenant_id is None) == (self.slug is None):
            raise PydanticCustomError("tenant_ambiguous", "Name the tenant by tenant_id or by slug, one of them")
        return self

    @property
    def tenant(self) -> UUID | str:
        """The tenant, as it was named."""
        return self.tenant_id or self.slug or ""


class TokenResponse(OutputSchema):
    """An access token for the requests, and a refresh token for the next pair."""

    access_token: str
    refresh_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the name of a scheme
    expires_in: int
    """Seconds until the access token expires."""


class Jwks(OutputSchema):
    """The public keys of access tokens (RFC 7517)."""

    keys: list[dict[str, Any]]


def _without_nul(text: str) -> str:
    if "\x00" in text:
        raise PydanticCustomError("nul_character", "NUL characters are not accepted")
    return text


LongForm = Annotated[str, MaxLen(320), AfterValidator(_without_nul)]
"""A text field of the sign-in form, which is no `InputSchema` and has to look for NUL itself."""
