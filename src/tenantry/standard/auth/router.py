"""Signing up and in over HTTP: `/auth`. One line from the request to the service."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Form, Request

from tenantry.http import api_router, fails_with, public
from tenantry.identity import (
    CurrentCaller,
    CurrentIdentity,
    CurrentIdentityService,
    EndReason,
    NotSignedIn,
    bearer_token,
    signed_in,
)
from tenantry.standard.auth.schemas import (
    Jwks,
    LinkRequest,
    LoginRequest,
    LogoutRequest,
    LongForm,
    NewPasswordRequest,
    PasswordResetRequest,
    RefreshRequest,
    RegisterRequest,
    SwitchTenantRequest,
    TokenResponse,
)
from tenantry.standard.auth.service import Auth
from tenantry.standard.dependencies import standard_service
from tenantry.standard.users import UserRead

router = api_router("/auth", tags=["auth"])
_public = [Depends(public)]


AuthService = Annotated[Auth, standard_service("auth")]


@router.post(
    "/register", status_code=201, operation_id="auth_register", responses=fails_with(409, 429), dependencies=_public
)
async def register(payload: RegisterRequest, service: AuthService, caller: CurrentCaller) -> UserRead:
    """Make a user, and mail the link that verifies the address."""
    password = payload.password.get_secret_value()
    return await service.register(email=payload.email, password=password, name=payload.name, caller=caller)


@router.post(
    "/verify-email",
    status_code=204,
    operation_id="auth_verify_email",
    responses=fails_with(400, 429),
    dependencies=_public,
)
async def verify_email(payload: LinkRequest, service: AuthService, caller: CurrentCaller) -> None:
    """Verify the address with the token of the mail."""
    await service.verify_email(payload.token.get_secret_value(), caller)


@router.post("/login", operation_id="auth_login", responses=fails_with(401, 429), dependencies=_public)
async def login(payload: LoginRequest, service: AuthService, caller: CurrentCaller) -> TokenResponse:
    """Sign in."""
    password = payload.password.get_secret_value()
    pair = await service.sign_in(email=payload.email, password=password, caller=caller)
    return TokenResponse.model_validate(pair)


@router.post("/token", operation_id="auth_token", responses=fails_with(401, 429), dependencies=_public)
async def token(
    service: AuthService,
    caller: CurrentCaller,
    username: Annotated[LongForm, Form()],
    password: Annotated[LongForm, Form(json_schema_extra={"format": "password"})],
    grant_type: Annotated[str | None, Form(pattern="^password$")] = None,
    scope: Annotated[str, Form(max_length=1000)] = "",
) -> TokenResponse:
    """Sign in with the form of OAuth2's password flow, which the documentation page sends."""
    del grant_type, scope  # part of the form; there is one grant, and rights do not depend on scopes
    pair = await service.sign_in(email=username, password=password, caller=caller)
    return TokenResponse.model_validate(pair)


@router.post("/refresh", operation_id="auth_refresh", responses=fails_with(401), dependencies=_public)
async def refresh(payload: RefreshRequest, service: CurrentIdentityService, caller: CurrentCaller) -> TokenResponse:
    """Exchange a refresh token for the next pair."""
    return TokenResponse.model_validate(
        await service.sessions.refresh(payload.refresh_token.get_secret_value(), caller)
    )


@router.post("/logout", status_code=204, operation_id="auth_logout", responses=fails_with(401), dependencies=_public)
async def logout(
    request: Request, service: CurrentIdentityService, caller: CurrentCaller, payload: LogoutRequest | None = None
) -> None:
    """End the session of the refresh token, or of the access token."""
    if payload is not None and payload.refresh_token is not None:
        await service.sessions.log_out(payload.refresh_token.get_secret_value(), caller)
        return
    if bearer_token(request) is None:
        raise NotSignedIn("Send the refresh token in the body, or the access token in the header.")
    identity = await signed_in(request)
    await service.sessions.end(identity.user_id, identity.session_id, EndReason.LOGOUT, caller)


@router.post("/switch-tenant", operation_id="auth_switch_tenant", dependencies=[Depends(signed_in)])
async def switch_tenant(
    payload: SwitchTenantRequest, identity: CurrentIdentity, service: CurrentIdentityService, caller: CurrentCaller
) -> TokenResponse:
    """Exchange the session's tokens for a pair that acts in one tenant."""
    return TokenResponse.model_validate(await service.sessions.switch_tenant(identity, payload.tenant, caller))


@router.post(
    "/password-reset",
    status_code=202,
    operation_id="auth_password_reset",
    responses=fails_with(429),
    dependencies=_public,
)
async def password_reset(payload: PasswordResetRequest, service: AuthService, caller: CurrentCaller) -> None:
    """Mail a link for a new password, if the address belongs to a user; the answer does not say so."""
    await service.request_new_password(payload.email, caller)


@router.post(
    "/password-reset/confirm",
    status_code=204,
    operation_id="auth_password_reset_confirm",
    responses=fails_with(400, 429),
    dependencies=_public,
)
async def password_reset_confirm(payload: NewPasswordRequest, service: AuthService, caller: CurrentCaller) -> None:
    """Set a new password with the token of the mail; every session ends."""
    password = payload.password.get_secret_value()
    await service.set_new_password(payload.token.get_secret_value(), password, caller)


@router.get("/jwks", operation_id="auth_jwks", dependencies=_public)
async def jwks(service: CurrentIdentityService) -> Jwks:
    """The public keys of access tokens, for whoever verifies them elsewhere; empty in development."""
    return Jwks.model_validate(service.jwks())
