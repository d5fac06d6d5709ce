"""The answer of a generated route: bytes that PostgreSQL made, and the few headers that depend on them."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.types import Send

from tenantry.http import etag

_JSON = (b"content-type", b"application/json")


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body, and where they apply the record's version and address."""

    status: int
    body: bytes = b""
    version: int | None = None
    location: str | None = None

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
