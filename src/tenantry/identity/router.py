"""Identity over HTTP: `/auth`, `/me` and `/users`. One line from the request to the service."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response

from tenantry.http import VERSIONED, IfMatch, api_router, etag, fails_with, parse_if_match, public
from tenantry.identity.dependencies import (
    CurrentCaller,
    CurrentIdentity,
    Service,
    bearer_token,
    signed_in,
)
from tenantry.identity.errors import NotSignedIn
from tenantry.identity.profiles import Profile
from tenantry.identity.schemas import (
    Jwks,
    LinkRequest,
    LoginRequest,
    LogoutRequest,
    LongForm,
    NewPasswordRequest,
    PasswordResetRequest,
    ProfileUpdate,
    RefreshRequest,
    RegisterRequest,
    SessionList,
    SessionRead,
    SwitchTenantRequest,
    TokenResponse,
    UserRead,
    UserUpdate,
)

PUBLIC = [Depends(public)]
SIGNED_IN = [Depends(signed_in)]

auth = api_router("/auth", tags=["auth"])
me = api_router("/me", tags=["me"])
users = api_router("/users", tags=["users"])


@auth.post(
    "/register", status_code=201, operation_id="auth_register", responses=fails_with(409, 429), dependencies=PUBLIC
)
async def register(payload: RegisterRequest, service: Service, caller: CurrentCaller) -> UserRead:
    """Make a user, and mail the link that verifies the address."""
    profile = await service.registration.register(
        email=payload.email, password=payload.password.get_secret_value(), name=payload.name, caller=caller
    )
    return UserRead.model_validate(profile)


@auth.post(
    "/verify-email",
    status_code=204,
    operation_id="auth_verify_email",
    responses=fails_with(400, 429),
    dependencies=PUBLIC,
)
async def verify_email(payload: LinkRequest, service: Service, caller: CurrentCaller) -> None:
    """Verify the address with the token of the mail."""
    await service.registration.verify_email(payload.token.get_secret_value(), caller)


@auth.post("/login", operation_id="auth_login", responses=fails_with(401, 429), dependencies=PUBLIC)
async def login(payload: LoginRequest, service: Service, caller: CurrentCaller) -> TokenResponse:
    """Sign in."""
    password = payload.password.get_secret_value()
    pair = await service.sign_in.sign_in(email=payload.email, password=password, caller=caller)
    return TokenResponse.model_validate(pair)


@auth.post("/token", operation_id="auth_token", responses=fails_with(401, 429), dependencies=PUBLIC)
async def token(
    service: Service,
    caller: CurrentCaller,
    username: Annotated[LongForm, Form()],
    password: Annotated[LongForm, Form(json_schema_extra={"format": "password"})],
    grant_type: Annotated[str | None, Form(pattern="^password$")] = None,
    scope: Annotated[str, Form(max_length=1000)] = "",
) -> TokenResponse:
    """Sign in with the form of OAuth2's password flow, which the documentation page sends."""
    del grant_type, scope  # part of the form; there is one grant, and rights do not depend on scopes
    pair = await service.sign_in.sign_in(email=username, password=password, caller=caller)
    return TokenResponse.model_validate(pair)


@auth.post("/refresh", operation_id="auth_refresh", responses=fails_with(401), dependencies=PUBLIC)
async def refresh(payload: RefreshRequest, service: Service, caller: CurrentCaller) -> TokenResponse:
    """Exchange a refresh token for the next pair."""
    return TokenResponse.model_validate(
        await service.sessions.refresh(payload.refresh_token.get_secret_value(), caller)
    )


@auth.post("/logout", status_code=204, operation_id="auth_logout", responses=fails_with(401), dependencies=PUBLIC)
async def logout(
    request: Request, service: Service, caller: CurrentCaller, payload: LogoutRequest | None = None
) -> None:
    """End the session of the refresh token, or of the access token."""
    if payload is not None and payload.refresh_token is not None:
        await service.sessions.log_out_by_token(payload.refresh_token.get_secret_value(), caller)
        return
    if bearer_token(request) is None:
        raise NotSignedIn("Send the refresh token in the body, or the access token in the header.")
    await service.sessions.log_out(await signed_in(request), caller)


@auth.post("/switch-tenant", operation_id="auth_switch_tenant", dependencies=SIGNED_IN)
async def switch_tenant(
    payload: SwitchTenantRequest, identity: CurrentIdentity, service: Service, caller: CurrentCaller
) -> TokenResponse:
    """Exchange the session's tokens for a pair that acts in one tenant."""
    return TokenResponse.model_validate(await service.sessions.switch_tenant(identity, payload.tenant, caller))


@auth.post(
    "/password-reset",
    status_code=202,
    operation_id="auth_password_reset",
    responses=fails_with(429),
    dependencies=PUBLIC,
)
async def password_reset(payload: PasswordResetRequest, service: Service, caller: CurrentCaller) -> None:
    """Mail a link for a new password, if the address belongs to a user; the answer does not say so."""
    await service.password_reset.request(payload.email, caller)


@auth.post(
    "/password-reset/confirm",
    status_code=204,
    operation_id="auth_password_reset_confirm",
    responses=fails_with(400, 429),
    dependencies=PUBLIC,
)
async def password_reset_confirm(payload: NewPasswordRequest, service: Service, caller: CurrentCaller) -> None:
    """Set a new password with the token of the mail; every session ends."""
    password = payload.password.get_secret_value()
    await service.password_reset.confirm(payload.token.get_secret_value(), password, caller)


@auth.get("/jwks", operation_id="auth_jwks", dependencies=PUBLIC)
async def jwks(service: Service) -> Jwks:
    """The public keys of access tokens, for whoever verifies them elsewhere; empty in development."""
    return Jwks.model_validate(service.jwks())


@me.get("", operation_id="me_read", responses={200: VERSIONED}, dependencies=SIGNED_IN)
async def read_me(identity: CurrentIdentity, service: Service, response: Response) -> UserRead:
    """Who is signed in."""
    return _shown(await service.profiles.read(identity, identity.user_id), response)


@me.patch("", operation_id="me_update", responses={200: VERSIONED}, dependencies=SIGNED_IN)
async def update_me(
    payload: ProfileUpdate,
    identity: CurrentIdentity,
    service: Service,
    caller: CurrentCaller,
    response: Response,
    if_match: IfMatch = None,
) -> UserRead:
    """Change one's own name."""
    changes = payload.model_dump(exclude_unset=True)
    expected = parse_if_match(if_match)
    profile = await service.profiles.change(
        identity, identity.user_id, changes, caller=caller, expected_version=expected
    )
    return _shown(profile, response)


@me.get("/sessions", operation_id="me_sessions_list", dependencies=SIGNED_IN)
async def list_sessions(identity: CurrentIdentity, service: Service) -> SessionList:
    """One's own live sessions."""
    sessions = [SessionRead.model_validate(session) for session in await service.sessions.list_of(identity)]
    return SessionList(
        items=[session.model_copy(update={"is_current": session.id == identity.session_id}) for session in sessions]
    )


@me.delete("/sessions/{session_id}", status_code=204, operation_id="me_sessions_delete", dependencies=SIGNED_IN)
async def end_session(session_id: UUID, identity: CurrentIdentity, service: Service, caller: CurrentCaller) -> None:
    """End one of one's own sessions; its access token stops working at once."""
    await service.sessions.end_own(identity, session_id, caller)


@users.get("/{user_id}", operation_id="users_read", responses={200: VERSIONED}, dependencies=SIGNED_IN)
async def read_user(user_id: UUID, identity: CurrentIdentity, service: Service, response: Response) -> UserRead:
    """A user: oneself, or anybody for the platform administrator."""
    return _shown(await service.profiles.read(identity, user_id), response)


@users.patch("/{user_id}", operation_id="users_update", responses={200: VERSIONED}, dependencies=SIGNED_IN)
async def update_user(
    user_id: UUID,
    payload: UserUpdate,
    identity: CurrentIdentity,
    service: Service,
    caller: CurrentCaller,
    response: Response,
    if_match: IfMatch = None,
) -> UserRead:
    """Change a user: one's own name, or anything as platform administrator."""
    changes = payload.model_dump(exclude_unset=True)
    expected = parse_if_match(if_match)
    profile = await service.profiles.change(identity, user_id, changes, caller=caller, expected_version=expected)
    return _shown(profile, response)


@users.delete("/{user_id}", status_code=204, operation_id="users_delete", dependencies=SIGNED_IN)
async def delete_user(user_id: UUID, identity: CurrentIdentity, service: Service, caller: CurrentCaller) -> None:
    """Deactivate a user for good and blank what is personal."""
    await service.profiles.remove(identity, user_id, caller)


ROUTERS: tuple[APIRouter, ...] = (auth, me, users)
"""What the assembly adds to the application."""


def _shown(profile: Profile, response: Response) -> UserRead:
    response.headers["ETag"] = etag(profile.version)
    return UserRead.model_validate(profile)
