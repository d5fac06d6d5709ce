"""Lists that no resource declares: the page that a query string asks for, for hand-written routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Request, Response

from tenantry.access import AccessContext
from tenantry.http import IfMatch, expected_versions
from tenantry.kernel import ExpectedVersion
from tenantry.query import ListPage, ListRequest, RowList, openapi_parameters, page_body, parse_list
from tenantry.resources.operations import ResourceEdge


def _expected(request: Request, if_match: IfMatch = None) -> ExpectedVersion:
    return expected_versions(if_match, request.headers.get("if-none-match"))


Expected = Annotated[ExpectedVersion, Depends(_expected)]
"""The versions that the preconditions of a request let a hand-written write meet."""


def parameters_of(rows: RowList) -> dict[str, Any]:
    """Return what OpenAPI says about a list's query string, besides its pages."""
    return {"parameters": openapi_parameters(rows.spec)}


async def list_answer(
    request: Request, rows: RowList, binding: str, read: Callable[[ListRequest], Awaitable[ListPage]]
) -> Response:
    """Return the page that the query string asks for. `binding` names whose list it is (see `CursorSigner`)."""
    edge = ResourceEdge.of(request.scope)
    query_string = request.scope["query_string"]
    asked = parse_list(query_string, rows.spec, signer=edge.cursors, binding=binding, sizes=edge.page_sizes)
    page = await read(asked)
    cursor = None
    if page.has_more:
        cursor = edge.cursors.next_cursor(asked, page.keys, spec=rows.spec, binding=binding)
    body = page_body(page.json, has_more=page.has_more, next_cursor=cursor, total=page.total)
    return Response(body, media_type="application/json")


def list_binding(access: AccessContext, name: str) -> str:
    """Return whose list it is: cursors of one tenant, person and list are no good in another."""
    return f"{access.tenant_id}:{access.principal.user_id}:{name}"


def request_id_of(request: Request) -> str | None:
    """Return the request's id."""
    return getattr(request.state, "request_id", None)
