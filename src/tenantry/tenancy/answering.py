"""From a request to what the services take, and from what they return to an answer; shared by the routes of tenancy."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, cast

from fastapi import Depends, Request, Response

from tenantry.http import IfMatch, etag, parse_if_match
from tenantry.kernel import Actor, ActorKind
from tenantry.query import CursorSigner, ListRequest, openapi_parameters, page_body, parse_list
from tenantry.tenancy.actor import Acting
from tenantry.tenancy.row_list import ListPage, RowList
from tenantry.tenancy.rules import SignedIn, TenantAccess
from tenantry.tenancy.schemas import TenantRead
from tenantry.tenancy.service import TenancyService
from tenantry.tenancy.tenants import TenantRecord


def tenancy_service(request: Request) -> TenancyService:
    """Return the tenancy service of the application."""
    return cast("TenancyService", request.app.state.tenancy)


Service = Annotated[TenancyService, Depends(tenancy_service)]


def expected_version(if_match: IfMatch = None) -> int | None:
    """Return the version that the client read, if it says so."""
    return parse_if_match(if_match)


Expected = Annotated[int | None, Depends(expected_version)]


def acting(access: TenantAccess) -> Acting:
    """Return who acts in the tenant, as the services take it."""
    principal = access.principal
    return Acting(
        principal.tenant.id,
        principal.actor,
        principal.role,
        access.request_id,
        ceiling=principal.ceiling,
        user_id=principal.user_id,
    )


def person(identity: SignedIn) -> Actor:
    """Return the person who is signed in, as the trail names them."""
    return Actor(ActorKind.USER, identity.user_id)


def request_id_of(request: Request) -> str | None:
    """Return the request's id."""
    return getattr(request.state, "request_id", None)


def parameters_of(rows: RowList) -> dict[str, Any]:
    """Return what OpenAPI says about a list's query string."""
    return {"parameters": openapi_parameters(rows.spec)}


async def list_answer(
    request: Request, rows: RowList, binding: str, read: Callable[[ListRequest], Awaitable[ListPage]]
) -> Response:
    """Return the page that the query string asks for. `binding` names whose list it is (see `CursorSigner`)."""
    signer: CursorSigner = request.app.state.resources.cursors
    asked = parse_list(request.scope["query_string"], rows.spec, signer=signer, binding=binding)
    page = await read(asked)
    cursor = None
    if page.has_more:
        cursor = signer.next_cursor(asked, page.last_keys, spec=rows.spec, binding=binding)
    body = page_body(page.json, has_more=page.has_more, next_cursor=cursor, total=page.total)
    return Response(body, media_type="application/json")


def list_binding(access: TenantAccess, name: str) -> str:
    """Return whose list it is: cursors of one tenant, person and list are no good in another."""
    return f"{access.principal.tenant.id}:{access.principal.user_id}:{name}"


def versioned(tenant: TenantRecord, response: Response) -> TenantRead:
    """Return a tenant with its version in the header `ETag`."""
    response.headers["ETag"] = etag(tenant.version)
    return TenantRead.model_validate(tenant)
