"""The one place where failures become HTTP: kind to status, error to `application/problem+json` (RFC 9457).

Whatever is raised, the body holds a stable code, a title, a detail meant for clients and the request id; never a
stack trace, SQL, or the value that was sent.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any

from starlette.responses import Response

from tenantry.http.envelope import ResponseStyle
from tenantry.kernel import FieldError, Kind, TenantryError

MEDIA_TYPE = "application/problem+json"

STATUS_OF: Mapping[Kind, int] = MappingProxyType(
    {
        Kind.BAD_REQUEST: 400,
        Kind.UNAUTHENTICATED: 401,
        Kind.FORBIDDEN: 403,
        Kind.NOT_FOUND: 404,
        Kind.METHOD_NOT_ALLOWED: 405,
        Kind.CONFLICT: 409,
        Kind.STALE: 412,
        Kind.TOO_LARGE: 413,
        Kind.UNSUPPORTED_MEDIA: 415,
        Kind.INVALID: 422,
        Kind.RATE_LIMITED: 429,
        Kind.UNAVAILABLE: 503,
        Kind.CONFIGURATION: 500,
        Kind.INTERNAL: 500,
    }
)
"""Kind of failure → status code."""

_TRY_AGAIN = frozenset({429, 503})
_DEFAULT_RETRY = 1.0


@dataclass(frozen=True, slots=True)
class Problem:
    """One answer that says what went wrong; `headers` go with it."""

    status: int
    code: str
    title: str
    detail: str
    errors: tuple[FieldError, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def members(self, request_id: str | None) -> dict[str, Any]:
        """Return the members of the problem object; `errors` only where there are some.

        >>> Problem(404, "not_found", "There is no such thing here.", "…").members("r-1")["type"]
        '/problems/not_found'
        """
        members: dict[str, Any] = {
            "type": f"/problems/{self.code}",
            "title": self.title,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            "request_id": request_id,
        }
        if self.errors:
            members["errors"] = [asdict(error) for error in self.errors]
        return members

    def response(self, style: ResponseStyle, request_id: str | None) -> Response:
        """Return the answer in the application's response style.

        In envelope style the media type is `application/json`: the object is an envelope that holds a problem.
        """
        members = self.members(request_id)
        if style is ResponseStyle.PLAIN:
            return Response(_json(members), self.status, self.headers, MEDIA_TYPE)
        envelope = {"success": False, "title": self.title, "error": members}
        return Response(_json(envelope), self.status, self.headers, "application/json")


def problem_of(error: TenantryError) -> Problem:
    """Return the problem of a declared error.

    Internal failures keep their declared code and title and lose their detail; a wrong configuration is nobody's
    business but the operator's.

    >>> from tenantry.kernel import Conflict
    >>> class ProjectKeyTaken(Conflict):
    ...     "A project with this key exists."
    >>> problem = problem_of(ProjectKeyTaken("The key OPS is used."))
    >>> problem.status, problem.code, problem.detail
    (409, 'project_key_taken', 'The key OPS is used.')
    """
    status = STATUS_OF[error.kind]
    headers = standard_headers(status, error.retry_after)
    match error.kind:
        case Kind.CONFIGURATION:
            return Problem(status, "internal_error", "The server made a mistake.", "The server made a mistake.")
        case Kind.INTERNAL:
            code = "internal_error" if type(error) is TenantryError else error.code
            return Problem(status, code, error.title, error.title, headers=headers)
        case _:
            return Problem(status, error.code, error.title, error.detail, error.errors, headers)


def problem_body(error: TenantryError, request_id: str | None) -> bytes:
    """Return the body of the answer in plain style.

    >>> class Gone(TenantryError):
    ...     "It is gone."
    ...     kind = Kind.NOT_FOUND
    >>> json.loads(problem_body(Gone(), "r-1"))["code"]
    'gone'
    """
    return _json(problem_of(error).members(request_id))


def standard_headers(status: int, retry_after: float | None = None) -> dict[str, str]:
    """Return the headers that go with a failure; `retry_after` is in seconds, rounded up.

    >>> standard_headers(429, 1.2)
    {'Cache-Control': 'no-store', 'Retry-After': '2'}
    """
    headers = {"Cache-Control": "no-store"}
    if status == STATUS_OF[Kind.UNAUTHENTICATED]:
        headers["WWW-Authenticate"] = "Bearer"
    if retry_after is None and status in _TRY_AGAIN:
        retry_after = _DEFAULT_RETRY
    if retry_after is not None:
        headers["Retry-After"] = str(max(0, math.ceil(retry_after)))
    return headers


def _json(value: Any) -> bytes:
    # ASCII on purpose: a lone surrogate in a detail or in the name of a member cannot be encoded otherwise.
    return json.dumps(value, separators=(",", ":")).encode("ascii")
