"""A client without a client: bytes to the ASGI application and back.

HTTP libraries refuse to send most of what must be tried here (bytes outside of ASCII in a path, NUL in a header, two
headers of one name), and cost more than the application does.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from starlette.types import ASGIApp, Message

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it would be on the wire; `chunks` replaces the body where it arrives in parts."""

    method: str
    target: bytes
    """Path and query string, percent-encoded (or not, where that is the point)."""
    headers: Headers
    body: bytes = b""
    chunks: Iterable[bytes] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and how much of the request's body was taken for it."""

    status: int
    headers: Headers
    body: bytes
    taken: int

    def header(self, name: bytes) -> bytes:
        """Return a header, empty where there is none."""
        return next((value for key, value in self.headers if key.lower() == name), b"")

    def json(self) -> Any:
        """Return the body as strict JSON: no NaN, no Infinity."""
        return json.loads(self.body, parse_constant=_no_constant)


async def ask(app: ASGIApp, request: Request) -> Answer:
    """Send one request to the application, the path decoded as uvicorn does it."""
    path, _, query = request.target.partition(b"?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": unquote(path.decode("latin-1")),
        "raw_path": path,
        "root_path": "",
        "query_string": query,
        "headers": [(name.lower(), value) for name, value in request.headers],
        "client": ("127.0.0.1", 40000),
        "server": ("test", 80),
        "state": {},
    }
    exchange = _Exchange(iter(request.chunks if request.chunks is not None else [request.body]))
    await app(scope, exchange.receive, exchange.send)
    return Answer(exchange.status, exchange.headers, b"".join(exchange.parts), exchange.taken)


class _Exchange:
    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._ended = False
        self.taken = 0
        self.status = 0
        self.headers: Headers = []
        self.parts: list[bytes] = []

    async def receive(self) -> Message:
        if self._ended:
            return {"type": "http.disconnect"}
        chunk = next(self._chunks, None)
        if chunk is None:
            self._ended = True
            return {"type": "http.request", "body": b"", "more_body": False}
        self.taken += len(chunk)
        return {"type": "http.request", "body": chunk, "more_body": True}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = list(message.get("headers", ()))
        else:
            self.parts.append(message.get("body", b""))


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
