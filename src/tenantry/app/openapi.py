"""The OpenAPI document: what FastAPI makes of the routes, and what holds for all of them, said once.

Every route that is not public takes a bearer token; every route of a tenant takes the headers that select it; every
route answers failures as problems.
"""

from __future__ import annotations

from typing import Any

from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from tenantry.app.application import Application
from tenantry.http import ResponseStyle, problem_components, problem_responses, public, rules_of
from tenantry.identity import TOKEN_URL, require_platform_admin, signed_in

_TENANT_HEADERS: list[dict[str, Any]] = [
    {
        "name": name,
        "in": "header",
        "required": False,
        "schema": schema,
        "description": f"The {what} of the tenant to act in; one of the two, unless the token names the tenant.",
    }
    for name, what, schema in (
        ("X-Tenant-Id", "id", {"type": "string", "format": "uuid"}),
        ("X-Tenant-Slug", "slug", {"type": "string", "maxLength": 63}),
    )
]
_BEARER = {
    "type": "oauth2",
    "flows": {"password": {"tokenUrl": TOKEN_URL, "scopes": {}}},
}
_GENERAL = (400, 422, 429, 503)
_SIGNED_IN = (401, 403)


def openapi_document(application: Application, routes: list[APIRoute], style: ResponseStyle) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of an application in one response style."""
    document = get_openapi(
        title=application.title,
        version=application.version,
        description=application.description,
        routes=routes,
    )
    components = document.setdefault("components", {})
    components.setdefault("schemas", {}).update(problem_components(style))
    components["securitySchemes"] = {"bearer": _BEARER}
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    for route in routes:
        for method in route.methods or ():
            operation = document["paths"].get(route.path_format, {}).get(method.lower())
            if operation is not None:
                _complete(operation, route, style)
    return document


def _complete(operation: dict[str, Any], route: APIRoute, style: ResponseStyle) -> None:
    rules = rules_of(route)
    statuses = [*_GENERAL]
    if public not in rules:
        operation["security"] = [{"bearer": []}]
        statuses += _SIGNED_IN
        if not {signed_in, require_platform_admin} & set(rules):
            operation.setdefault("parameters", []).extend(_TENANT_HEADERS)
    if "{" in route.path:
        statuses.append(404)
    if (route.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"}:
        statuses += [409, 412, 413, 415]
    for status, response in problem_responses(style, *sorted(statuses)).items():
        operation["responses"][str(status)] = response
