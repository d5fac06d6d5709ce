"""Settings of the HTTP edge, and the CORS middleware that they describe."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from tenantry.http.envelope import ResponseStyle
from tenantry.kernel import LISTED, Environment, SettingsGroup

_YEAR = 31_536_000
_MOST_ITEMS = 1000  # of a page, which PostgreSQL renders and the process sends in one piece
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_REQUEST_HEADERS = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
    "traceparent",
    "X-API-Key",
    "X-Reason",
    "X-Request-Id",
    "X-Tenant-Id",
    "X-Tenant-Slug",
)
_EXPOSED_HEADERS = ("ETag", "Location", "Retry-After", "X-Request-Id")


class HttpSettings(SettingsGroup):
    """``TENANTRY_HTTP_…``."""

    response_style: ResponseStyle = ResponseStyle.PLAIN
    """`plain` answers with the thing itself, `envelope` with `{success, title, content}`."""
    cors_origins: Annotated[tuple[str, ...], LISTED] = ()
    """Origins (`https://app.example.com`) whose pages may call the API; `*` for all. Comma separated or a JSON list."""
    cors_credentials: bool = False
    """Whether browsers may send cookies along. Not needed for bearer tokens; refused together with `*`."""
    page_size: int = Field(default=50, ge=1, le=_MOST_ITEMS)
    """Items on a page of a list where the request does not say how many."""
    max_page_size: int = Field(default=200, ge=1, le=_MOST_ITEMS)
    """Items on a page that a request may ask for; at least `page_size`."""
    max_body_bytes: int = Field(default=1_048_576, ge=1, le=1_073_741_824)
    """Larger bodies are answered 413. A route may set a smaller limit of its own (FastAPI's `max_body_size`)."""
    request_timeout: float = Field(default=10.0, gt=0, le=3600)
    """Seconds that a request may take, the sending of its body included; then it is answered 503. Longer than a
    statement and the wait for a connection together, so that those answer first."""
    docs_enabled: bool | None = None
    """Serve `/docs` and `/openapi.json`. None: not in production."""
    hsts_seconds: int | None = Field(default=None, ge=0, le=2 * _YEAR)
    """How long browsers insist on HTTPS; 0: not at all. None: a year in production, not at all elsewhere."""
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], LISTED] = ()
    """Addresses and networks whose `X-Forwarded-For` and `-Proto` are believed. Empty: nobody's."""

    @model_validator(mode="after")
    def _check_origins(self) -> Self:
        if "*" in self.cors_origins and self.cors_credentials:
            raise ValueError("cors_origins: * cannot be combined with cors_credentials: any page could act as the user")
        for origin in self.cors_origins:
            if origin != "*" and not _is_origin(origin):
                raise ValueError("cors_origins: an origin is scheme://host[:port], without a path")
        return self

    @model_validator(mode="after")
    def _check_page_sizes(self) -> Self:
        if self.page_size > self.max_page_size:
            raise ValueError("page_size is larger than max_page_size; set both")
        return self

    def docs_for(self, environment: Environment) -> bool:
        """Say whether the documentation is served."""
        return environment is not Environment.PRODUCTION if self.docs_enabled is None else self.docs_enabled

    def hsts_for(self, environment: Environment) -> int:
        """Return the seconds for `Strict-Transport-Security`, 0 for none.

        >>> HttpSettings().hsts_for(Environment.PRODUCTION), HttpSettings().hsts_for(Environment.DEVELOPMENT)
        (31536000, 0)
        """
        if self.hsts_seconds is not None:
            return self.hsts_seconds
        return _YEAR if environment is Environment.PRODUCTION else 0


def cors_middleware(settings: HttpSettings) -> Middleware | None:
    """Return Starlette's CORS middleware for the settings, None where no origin is allowed.

    It belongs *inside* `RequestEdge`, which wraps its own last-resort answers in the same policy.
    """
    if not settings.cors_origins:
        return None
    return Middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_credentials=settings.cors_credentials,
        allow_methods=_METHODS,
        allow_headers=_REQUEST_HEADERS,
        expose_headers=_EXPOSED_HEADERS,
        max_age=600,
    )


def _is_origin(origin: str) -> bool:
    parts = urlsplit(origin)
    return parts.scheme in {"http", "https"} and bool(parts.netloc) and origin == f"{parts.scheme}://{parts.netloc}"
