"""What may be raised below the HTTP edge and is not a declared error, translated into a `Problem`."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import Scope

from tenantry.http.body import is_json
from tenantry.http.errors import (
    BodyTooLarge,
    DependencyUnavailable,
    InternalError,
    InvalidHeader,
    InvalidQuery,
    MalformedJson,
    MethodNotAllowed,
    RouteNotFound,
    TimedOut,
    UnsupportedMediaType,
)
from tenantry.http.field_errors import located_field_errors
from tenantry.http.problem import STATUS_OF, Problem, problem_of, standard_headers
from tenantry.kernel import FieldError, InvalidInput, TenantryError

_KNOWN_STATUS = frozenset(HTTPStatus)
# From our kinds: the phrases of `http.HTTPStatus` change between versions of Python.
_CODE_OF: Mapping[int, str] = {status: kind.value for kind, status in STATUS_OF.items()}
_BY_STATUS: Mapping[int, type[TenantryError]] = {413: BodyTooLarge, 415: UnsupportedMediaType}
_FASTAPI_PARSE_FAILURE = "There was an error parsing the body"


def problem_for(error: BaseException, scope: Scope) -> Problem:
    """Return the problem of anything that was raised while the request in `scope` was answered.

    A group of one (task groups wrap what their tasks raise) counts as what it holds.
    """
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    match error:
        case TenantryError():
            return problem_of(error)
        case RequestValidationError():
            return problem_of(_validation(error, scope))
        case HTTPException():
            return _http(error, scope)
        case TimeoutError():
            return problem_of(TimedOut())
        case ConnectionError():
            return problem_of(DependencyUnavailable())
        case _:
            return problem_of(InternalError())


def _validation(error: RequestValidationError, scope: Scope) -> TenantryError:
    problems = error.errors()
    places = {problem["loc"][0] for problem in problems if problem["loc"]}
    if any(problem["type"] == "json_invalid" for problem in problems):
        return MalformedJson(errors=[FieldError("", "The body could not be read as JSON", "json_invalid")])
    if "query" in places:
        return InvalidQuery(errors=located_field_errors(problems))
    if places & {"header", "cookie"}:
        return InvalidHeader(errors=located_field_errors(problems))
    if "body" in places and isinstance(error.body, bytes) and not is_json(_content_type(scope)):
        return UnsupportedMediaType()
    return InvalidInput(errors=located_field_errors(problems))


def _http(error: HTTPException, scope: Scope) -> Problem:
    headers = dict(error.headers or {})
    declared = _declared(error, scope)
    if isinstance(declared, MethodNotAllowed):
        headers["Allow"] = _allowed_methods(scope) or headers.get("Allow", "")
    if declared is None:
        return _undeclared(error, headers)
    problem = problem_of(declared)
    return Problem(
        problem.status, problem.code, problem.title, problem.detail, problem.errors, {**problem.headers, **headers}
    )


def _declared(error: HTTPException, scope: Scope) -> TenantryError | None:
    match error.status_code:
        case 400 if error.detail == _FASTAPI_PARSE_FAILURE and error.__cause__ is not None:
            # Invalid UTF-8, too deep, an integer of 5,000 digits: FastAPI answers 400, a body is 422 here.
            return MalformedJson()
        case 404 if scope.get("route") is None:
            return RouteNotFound()
        case 405:
            return MethodNotAllowed()
        case status:
            declared = _BY_STATUS.get(status)
            return None if declared is None else declared()


def _undeclared(error: HTTPException, headers: dict[str, str]) -> Problem:
    """Return the problem of an `HTTPException` that application code raised: its status, its words, no more."""
    status = error.status_code
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return problem_of(InternalError())
    title = HTTPStatus(status).phrase if status in _KNOWN_STATUS else f"HTTP {status}"
    code = _CODE_OF.get(status, f"http_{status}")
    detail: Any = error.detail  # FastAPI lets it be anything
    text = detail if isinstance(detail, str) and detail else title
    return Problem(status, code, title, text, headers={**standard_headers(status), **headers})


def _allowed_methods(scope: Scope) -> str:
    """Return the methods of *all* routes with this path: Starlette's own answer names those of the first one only."""
    probe = {"type": "http", "path": scope["path"], "root_path": scope.get("root_path", ""), "method": ""}
    methods: set[str] = set()
    for route in iter_route_contexts(getattr(scope.get("app"), "routes", ())):
        if route.methods and _matches(route, probe):
            methods |= route.methods
    if "GET" in methods:
        methods.add("HEAD")
    return ", ".join(sorted(methods))


def _matches(route: Any, probe: Scope) -> bool:
    return bool(route.matches(dict(probe))[0] is not Match.NONE)


def _content_type(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"content-type":
            return str(value, "latin-1")
    return None
