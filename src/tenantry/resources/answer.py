"""The answer of a generated route: bytes that PostgreSQL made, and the few headers that depend on them."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.responses import Response
from starlette.types import Send

from tenantry.http import etag
from tenantry.kernel import ConfigurationError

_JSON = (b"content-type", b"application/json")


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body, and where they apply the record's version and address."""

    status: int
    body: bytes = field(default=b"", repr=False)
    version: int | None = None
    location: str | None = None
    repeated: bytes | None = None
    """What a repeated request gets in place of the body, where the body tells a secret; that alone is stored."""

    @classmethod
    def of(cls, response: Response) -> Answer:
        """Return what a hand-written route answers, so far as it is told again to a repeated request.

        Raises `ConfigurationError` for what is no JSON: it could not be stored.
        """
        if response.media_type != "application/json":
            raise ConfigurationError(f"an answer of the type {response.media_type} is not stored for Idempotency-Key")
        tag = response.headers.get("etag", "").strip('"')
        version = int(tag) if tag.isdigit() else None
        return cls(response.status_code, bytes(response.body), version, response.headers.get("location"))

    def response(self) -> Response:
        """Return the same for a hand-written route. What tells a secret is not to be kept by anybody on the way."""
        headers = {} if self.version is None else {"ETag": etag(self.version)}
        if self.location is not None:
            headers["Location"] = self.location
        if self.repeated is not None:
            headers["Cache-Control"] = "no-store"
        media_type = "application/json" if self.body else None
        return Response(self.body, self.status, headers=headers, media_type=media_type)

    async def send(self, send: Send) -> None:
        """Send the answer as two ASGI messages; Starlette's `Response` would build its header list anew each time."""
        headers = [(b"content-length", str(len(self.body)).encode())] if self.status not in _BODILESS else []
        if self.body:
            headers.append(_JSON)
        if self.version is not None:
            headers.append((b"etag", etag(self.version).encode()))
        if self.location is not None:
            headers.append((b"location", self.location.encode()))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


_BODILESS = frozenset({204, 304})
