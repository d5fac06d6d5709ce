"""The failures of the HTTP edge itself: what is refused before any module sees the request."""

from __future__ import annotations

from tenantry.kernel import BadRequest, InvalidInput, Kind, TenantryError, Unavailable


class RouteNotFound(TenantryError):
    """There is no such address."""

    kind = Kind.NOT_FOUND


class MethodNotAllowed(TenantryError):
    """This address does not take this method."""

    kind = Kind.METHOD_NOT_ALLOWED


class BodyTooLarge(TenantryError):
    """The body is larger than this server accepts."""

    kind = Kind.TOO_LARGE


class UnsupportedMediaType(TenantryError):
    """The body has to be JSON in UTF-8 (Content-Type: application/json)."""

    kind = Kind.UNSUPPORTED_MEDIA


class MalformedJson(InvalidInput):
    """The body is not valid JSON."""


class InvalidQuery(BadRequest):
    """The query string is not valid."""


class InvalidHeader(BadRequest):
    """A header or cookie is not valid."""


class TimedOut(Unavailable):
    """The answer took too long."""


class DependencyUnavailable(Unavailable):
    """A service that this request needs cannot be reached at the moment."""


class InternalError(TenantryError):
    """The server made a mistake."""

    kind = Kind.INTERNAL
