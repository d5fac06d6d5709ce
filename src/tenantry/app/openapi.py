"""The OpenAPI document: what FastAPI makes of the routes, and what holds for all of them, said once.

Every route that is not public takes a bearer token; every route of a tenant takes an API key instead, and the headers
that select the tenant; every route answers failures as problems.
"""

from __future__ import annotations

from typing import Any

from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from tenantry.app.application import Application
from tenantry.http import ResponseStyle, Rule, problem_components, problem_responses, public, rules_of
from tenantry.identity import TOKEN_URL, require_platform_admin, signed_in
from tenantry.query import PageSizes, paging_parameters

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
_API_KEY = {
    "type": "apiKey",
    "in": "header",
    "name": "X-API-Key",
    "description": "An API key, which may also be sent as a bearer token. It names its tenant.",
}
_FIRST_FAILURE = 400

Operation = dict[str, Any]
Schemas = dict[str, dict[str, Any]]


def openapi_document(
    application: Application, routes: list[APIRoute], style: ResponseStyle, *, sizes: PageSizes
) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of an application in one response style, with its sizes of pages."""
    document = get_openapi(
        title=application.title,
        version=application.version,
        description=application.description,
        routes=routes,
    )
    schemas: Schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(problem_components(style))
    document["components"]["securitySchemes"] = {"bearer": _BEARER, "api_key": _API_KEY}
    for route in routes:
        for method in route.methods or ():
            operation = document["paths"].get(route.path_format, {}).get(method.lower())
            if operation is not None:
                if _is_list(operation):
                    _add_paging(operation, sizes)
                    _relax_items(operation, schemas)
                _complete(operation, method, route, style)
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return document


def _complete(operation: Operation, method: str, route: APIRoute, style: ResponseStyle) -> None:
    """Add what the rules of a route say: security, the tenant's headers, every failure."""
    rules = set(rules_of(route))
    if public not in rules:
        operation["security"] = [{"bearer": []}]
        if not {signed_in, require_platform_admin} & rules:
            operation["security"].append({"api_key": []})
            operation.setdefault("parameters", []).extend(_TENANT_HEADERS)
    responses = operation["responses"]
    responses.pop("422", None)  # FastAPI's own, which it gives to every route with a parameter
    declared = {int(status) for status in route.responses if int(status) >= _FIRST_FAILURE}
    failures = declared | _failures(operation, method, rules)
    for status, response in problem_responses(style, *sorted(failures)).items():
        responses[str(status)] = response


def _failures(operation: Operation, method: str, rules: set[Rule]) -> set[int]:
    """Return the failures that follow from what an operation takes and who may call it."""
    parameters = operation.get("parameters", ())
    places = {parameter["in"] for parameter in parameters}
    failures = {503}
    if public not in rules:
        failures.add(401)
        if method != "GET":
            failures.add(409)
        if method != "GET" or "path" in places or signed_in not in rules:  # nobody is refused a look at what is theirs
            failures.add(403)
    if places & {"query", "header"}:
        failures.add(400)
    if "path" in places:
        failures |= {404, 422}
    if "requestBody" in operation:
        failures |= {413, 415, 422}
    if any(parameter["name"] == "If-Match" for parameter in parameters):
        failures.add(412)
    return failures


def _is_list(operation: Operation) -> bool:
    return any(parameter["name"] == "fields" for parameter in operation.get("parameters", ()))


def _add_paging(operation: Operation, sizes: PageSizes) -> None:
    """Add what every list takes, as the first of what stands in the query string."""
    parameters = operation["parameters"]
    first = next(at for at, parameter in enumerate(parameters) if parameter["in"] == "query")
    parameters[first:first] = paging_parameters(sizes)


def _relax_items(operation: Operation, schemas: Schemas) -> None:
    """Say of a list that its items may lack every member but ``id``; a generated client trusts that."""
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    while "items" not in (members := _resolved(schema, schemas)["properties"]):
        schema = members["content"]  # the envelope around the page
    _resolved(members["items"]["items"], schemas)["required"] = ["id"]


def _resolved(schema: dict[str, Any], schemas: Schemas) -> dict[str, Any]:
    return schemas[schema["$ref"].rpartition("/")[2]]
