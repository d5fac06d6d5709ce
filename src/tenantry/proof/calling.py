"""Requests to the application in this process: bytes to ASGI and back, because an HTTP client costs more than a call.

Nothing about the application is replaced: middleware, tokens, tenant resolution and the database are those of
production.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlencode

from starlette.types import ASGIApp, Message

PATIENCE = 20.0
"""Seconds that one answer may take."""
STREAMED = 0.3
"""Seconds that a stream of events is listened to."""
_STREAM = "text/event-stream"
UNANSWERED = 599
"""Status of a call that the application left without an answer."""


@dataclass(frozen=True, slots=True)
class AppRequest:
    """One request: what is sent, without who sends it."""

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None

    def with_headers(self, headers: Mapping[str, str]) -> AppRequest:
        """Return the same request with more headers."""
        return replace(self, headers={**self.headers, **headers})

    @property
    def line(self) -> str:
        """The request line, as reports show it."""
        query = f"?{urlencode(self.params)}" if self.params else ""
        return f"{self.method} {self.path}{query}"


@dataclass(frozen=True, slots=True)
class AppResponse:
    """What came back, and how long it took."""

    status: int
    headers: tuple[tuple[str, str], ...]
    text: str
    seconds: float

    @property
    def is_success(self) -> bool:
        """Whether the status is one of 200 to 299."""
        return 200 <= self.status < 300

    def header(self, name: str) -> str | None:
        """Return the first header of this name."""
        return next((value for key, value in self.headers if key == name), None)

    def json(self) -> Any:
        """Return the body; None where it is no JSON."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None


class AppClient:
    """The way into an ASGI application; it counts who passes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.calls = 0

    async def call(self, request: AppRequest) -> AppResponse:
        """Send one request and return its answer. What the application raises is an answer with `UNANSWERED`."""
        self.calls += 1
        exchange = _AsgiCall(request)
        began = time.perf_counter()
        call = asyncio.ensure_future(self._app(exchange.scope, exchange.receive, exchange.send))
        exchange.leave = call.cancel
        await asyncio.wait([call], timeout=PATIENCE)
        if not call.done():
            exchange.fail("no answer")
            call.cancel()
        elif not call.cancelled() and (error := call.exception()) is not None:
            exchange.fail(f"{type(error).__name__}: {error}")
        return exchange.answer(time.perf_counter() - began)


class _AsgiCall:
    def __init__(self, request: AppRequest) -> None:
        self._body = b"" if request.body is None else json.dumps(request.body, ensure_ascii=False).encode()
        self.status = UNANSWERED
        self.parts: list[bytes] = []
        self.leave: Callable[[], object] = bool
        self._headers: tuple[tuple[str, str], ...] = ()
        self._is_read = False
        self.scope = self._scope(request)

    def _scope(self, request: AppRequest) -> dict[str, Any]:
        headers = [(name.lower().encode(), value.encode()) for name, value in request.headers.items()]
        headers.append((b"host", b"proof.test"))
        if request.body is not None:
            headers += [(b"content-type", b"application/json"), (b"content-length", str(len(self._body)).encode())]
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": "http",
            "path": request.path,
            "raw_path": quote(request.path).encode(),
            "root_path": "",
            "query_string": urlencode(request.params).encode(),
            "headers": headers,
            "client": ("127.0.0.1", 40000),
            "server": ("proof.test", 80),
            "state": {},
        }

    async def receive(self) -> Message:
        if not self._is_read:
            self._is_read = True
            return {"type": "http.request", "body": self._body, "more_body": False}
        await asyncio.Event().wait()  # nobody hangs up before the answer is there
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._headers = tuple(
                (key.decode("latin-1").lower(), value.decode("latin-1")) for key, value in message["headers"]
            )
            if ("content-type", _STREAM) in [(key, value.partition(";")[0]) for key, value in self._headers]:
                asyncio.get_running_loop().call_later(STREAMED, self.leave)
        elif message["type"] == "http.response.body":
            self.parts.append(message.get("body", b""))

    def fail(self, reason: str) -> None:
        self.status, self.parts = UNANSWERED, [reason.encode()]

    def answer(self, seconds: float) -> AppResponse:
        return AppResponse(self.status, self._headers, b"".join(self.parts).decode("utf-8", "replace"), seconds)
