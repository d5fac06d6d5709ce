"""Installs the translation of failures into answers, and reports those that are ours."""

from __future__ import annotations

import structlog
from fastapi.exceptions import RequestValidationError, ValidationException
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from tenantry.http.envelope import ResponseStyle
from tenantry.http.problem import Problem
from tenantry.http.translation import problem_for
from tenantry.kernel import Kind, TenantryError, context

_log = structlog.get_logger("tenantry.http")

_HANDLED: tuple[type[Exception], ...] = (
    TenantryError,
    RequestValidationError,
    HTTPException,
    TimeoutError,
    ConnectionError,
    Exception,
)


def install_problem_handlers(app: Starlette, style: ResponseStyle) -> None:
    """Make `app` answer every failure as a problem in `style`, in production and in development alike.

    What is raised outside of routing (in a middleware) is answered by `RequestEdge` with the same `failure_response`.
    """

    async def answer(request: Request, error: Exception) -> Response:
        return failure_response(error, request.scope, style)

    for kind in _HANDLED:
        app.add_exception_handler(kind, answer)


def failure_response(error: Exception, scope: Scope, style: ResponseStyle) -> Response:
    """Return the answer for anything that was raised; failures of the server are logged, once, here."""
    problem = problem_for(error, scope)
    _report(error, problem)
    if problem.status in (204, 304):  # an author may raise those too; they have no body
        return Response(status_code=problem.status, headers=problem.headers)
    return problem.response(style, context.request_id.get())


def _report(error: Exception, problem: Problem) -> None:
    if problem.status < 500:
        return
    if isinstance(error, TenantryError) and error.kind is Kind.UNAVAILABLE:
        _log.warning("unavailable", code=problem.code, detail=error.detail)
    elif isinstance(error, ValidationException):
        # The text of such an error holds the values that did not fit: rows of a tenant.
        wrong = [{"loc": found["loc"], "type": found["type"]} for found in error.errors()]
        _log.error(problem.code, error=type(error).__name__, endpoint=error.endpoint_path, wrong=wrong[:20])
    else:
        _log.error(problem.code, exc_info=error)
