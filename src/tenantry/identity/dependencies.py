"""What routes ask of identity: who is signed in, who administers the platform, where a request comes from."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from tenantry.http import API_PREFIX, access_rule
from tenantry.identity.addresses import client_address
from tenantry.identity.authenticator import Identity
from tenantry.identity.caller import Caller
from tenantry.identity.errors import NotPlatformAdmin, NotSignedIn
from tenantry.identity.models import MAX_USER_AGENT
from tenantry.identity.service import IdentityService
from tenantry.kernel import Actor, ActorKind, context

TOKEN_URL = f"{API_PREFIX}/auth/token"
"""Where the documentation page signs in."""


def identity_service(request: Request) -> IdentityService:
    """Return the identity service of the application."""
    service: IdentityService = request.app.state.assembly.identity
    return service


@access_rule
async def signed_in(request: Request) -> Identity:
    """The rule of routes for people who are signed in; gives their identity.

    Raises `NotSignedIn` without a token, `InvalidAccessToken` with one that does not count.
    """
    known: Identity | None = getattr(request.state, "identity", None)
    if known is None:
        token = bearer_token(request)
        if token is None:
            raise NotSignedIn
        known = await identity_service(request).authenticator.authenticate(token)
        request.state.identity = known
        context.actor_id.set(str(known.user_id))
    return known


@access_rule
async def require_platform_admin(request: Request) -> Identity:
    """The rule of routes for platform administrators. Raises also `NotPlatformAdmin`."""
    identity: Identity = await signed_in(request)
    if not identity.is_platform_admin:
        raise NotPlatformAdmin
    return identity


def bearer_token(request: Request) -> str | None:
    """Return the token of ``Authorization: Bearer …``, None where there is none.

    Raises `NotSignedIn` for two such headers: which one counts must not be a matter of who reads them.
    """
    values = request.headers.getlist("authorization")
    if len(values) > 1:
        raise NotSignedIn("Send one Authorization header.")
    scheme, _, token = (values[0] if values else "").partition(" ")
    token = token.strip()
    return token if scheme.lower() == "bearer" and token else None


def caller_of(request: Request) -> Caller:
    """Return where a request comes from.

    The address is the connection's, which the server replaces by `X-Forwarded-For` for trusted proxies alone; the
    header itself is never read here, because anybody can send it.
    """
    client = request.scope.get("client")
    agent = request.headers.get("user-agent", "")
    printable = "".join(character for character in agent[:MAX_USER_AGENT] if character.isprintable())
    return Caller(
        address=client_address(client[0] if client else None),
        user_agent=printable or None,
        request_id=getattr(request.state, "request_id", None),
    )


def person(identity: Identity) -> Actor:
    """Return the person who is signed in, as the trail names them."""
    return Actor(ActorKind.USER, identity.user_id)


CurrentIdentity = Annotated[Identity, Depends(signed_in)]
PlatformAdmin = Annotated[Identity, Depends(require_platform_admin)]
CurrentCaller = Annotated[Caller, Depends(caller_of)]
CurrentIdentityService = Annotated[IdentityService, Depends(identity_service)]
