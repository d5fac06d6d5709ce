"""The edge of a request, in one pure-ASGI middleware: id, context, limits, headers, log line, metrics, last resort.

One instead of six because each layer costs a coroutine and a closure per message. Everything that can be made at start
is made at start.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable
from time import perf_counter
from typing import Any

from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tenantry.http.errors import BodyTooLarge, InternalError, TimedOut, UnsupportedMediaType
from tenantry.http.handlers import failure_response
from tenantry.http.settings import HttpSettings, cors_middleware
from tenantry.http.time_limit import TimeLimit
from tenantry.kernel import Environment, TenantryError, context, new_id
from tenantry.observability import AccessLog, Metrics

Headers = list[tuple[bytes, bytes]]

UNMATCHED = "unmatched"
"""The route label of requests that no route matched: a label for each path would grow without end."""

_CLIENT_LEFT = 499  # nginx's number for "the client closed the connection before the answer"
_DOCS = frozenset({"/docs", "/docs/oauth2-redirect", "/redoc"})
_is_request_id = re.compile(rb"[A-Za-z0-9._-]{1,128}").fullmatch

_ALWAYS: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"vary", b"Authorization"),
]
_NO_STORE = (b"cache-control", b"no-store")
_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_REPLACED = frozenset(name for name, _ in _ALWAYS if name != b"vary") | {
    b"cache-control",
    b"content-security-policy",
    b"strict-transport-security",
    b"x-request-id",
}


class RequestEdge:
    """The outermost middleware of the application.

    - `X-Request-Id`: taken from the client if it is safe, else made; in `scope["state"]["request_id"]`, in
      `kernel.context`, in every answer.
    - A request that takes longer than `request_timeout` is 503: a client that sends its body a byte a second would
      hold the request for ever.
    - Bodies over `max_body_bytes` are 413, before anything else where the length is announced.
    - Security headers; a route's own `Cache-Control` and policies stand.
    - Whatever leaves the application as an exception becomes a problem, unless an answer has begun.
    - One line of access log, one observation of the metrics; the ids of tenant and actor come from `kernel.context`,
      where code further in (in the same task) has put them. The context is as before when the request has ended.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: HttpSettings,
        *,
        environment: Environment,
        access_log: AccessLog | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._app = app
        self._style = settings.response_style
        self._max_body = settings.max_body_bytes
        self._time_limit = TimeLimit(settings.request_timeout)
        self._cors = cors_middleware(settings)
        self._access_log = access_log
        self._metrics = metrics
        hsts = settings.hsts_for(environment)
        always = [*_ALWAYS, (b"strict-transport-security", b"max-age=%d" % hsts)] if hsts else _ALWAYS
        self._docs_headers: Headers = [*always, _NO_STORE]
        self._headers: Headers = [*self._docs_headers, _POLICY]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or accompany one socket."""
        kind = scope["type"]
        if kind == "lifespan":
            await self._app(scope, receive, send)
            return
        given, refused = _read_headers(scope["headers"], self._max_body)
        request_id = str(new_id()) if given is None else given.decode("ascii")
        state = scope.get("state")
        if state is None:
            scope["state"] = state = {}
        state["request_id"] = request_id
        request_token = context.request_id.set(request_id)
        tenant_token = context.tenant_id.set(None)
        actor_token = context.actor_id.set(None)
        try:
            if kind == "http":
                added = self._docs_headers if scope["path"] in _DOCS else self._headers
                is_head = scope["method"] == "HEAD"
                if is_head:  # the application knows GET alone; a copy, because the server goes by the method as well
                    scope = {**scope, "method": "GET"}
                exchange = _Exchange(receive, send, added, request_id.encode("ascii"), self._max_body, is_head=is_head)
                await self._answer(scope, exchange, request_id, refused)
            else:
                await self._app(scope, receive, send)
        finally:
            context.actor_id.reset(actor_token)
            context.tenant_id.reset(tenant_token)
            context.request_id.reset(request_token)

    async def _answer(self, scope: Scope, exchange: _Exchange, request_id: str, refused: TenantryError | None) -> None:
        metrics = self._metrics
        if metrics is not None:
            metrics.in_flight.inc()
        watched = self._time_limit.begin()
        try:
            if refused is not None:
                await self._fail(refused, scope, exchange)
                return
            await self._app(scope, exchange.receive, exchange.send)
            if not exchange.status:
                await self._fail(InternalError(), scope, exchange)
        except ClientDisconnect:
            pass  # nobody is there to be answered; the log line says 499
        except asyncio.CancelledError:
            if not self._time_limit.end(watched) or exchange.status:
                raise
            await self._fail(TimedOut(retry_after=1), scope, exchange)
        except Exception as error:
            if exchange.status:
                raise  # half an answer is sent: the server must cut the connection, so that it is not taken for whole
            await self._fail(error, scope, exchange)
        finally:
            self._time_limit.end(watched)
            if metrics is not None:
                metrics.in_flight.dec()
            self._record(scope, exchange, request_id)

    async def _fail(self, error: Exception, scope: Scope, exchange: _Exchange) -> None:
        answer: ASGIApp = failure_response(error, scope, self._style)
        if self._cors is not None:  # this answer does not pass the CORS middleware, which stands further in
            answer = _with_cors(self._cors, answer)
        await answer(scope, exchange.receive, exchange.send)

    def _record(self, scope: Scope, exchange: _Exchange, request_id: str) -> None:
        seconds = (exchange.ended or perf_counter()) - exchange.began
        status = exchange.status or _CLIENT_LEFT
        method: str = "HEAD" if exchange.is_head else scope["method"]
        template = route_template(scope)
        if self._metrics is not None:
            self._metrics.observe_request(method, template or UNMATCHED, status, seconds)
        if self._access_log is not None:
            self._access_log.write(
                request_id,
                context.tenant_id.get(),
                context.actor_id.get(),
                method,
                template or scope["path"],
                status,
                seconds,
                exchange.size,
            )


class _Exchange:
    """One request and its answer, seen from outside; its `receive` and `send` are what the application gets."""

    __slots__ = ("_added", "_left", "_receive", "_request_id", "_send", "began", "ended", "is_head", "size", "status")

    def __init__(
        self, receive: Receive, send: Send, added: Headers, request_id: bytes, max_body: int, *, is_head: bool
    ) -> None:
        self._receive = receive
        self._send = send
        self._added = added
        self._request_id = request_id
        self._left = max_body
        self.is_head = is_head
        self.began = perf_counter()
        self.ended = 0.0
        self.status = 0
        self.size = 0

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                # Not a TenantryError: FastAPI turns whatever else is raised while it reads a body into its own 400.
                raise HTTPException(413)
        return message

    def send(self, message: Message) -> Awaitable[None]:
        kind = message["type"]
        if kind == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": self._complete([*message.get("headers", ())])}
        elif kind == "http.response.body":
            if self.is_head:  # all that GET would answer, but for the body (RFC 9110 §9.3.2)
                message = {**message, "body": b""}
            self.size += len(message.get("body", b""))
            if not message.get("more_body", False):
                self.ended = perf_counter()  # background tasks run after this and are not part of the answer
        return self._send(message)

    def _complete(self, headers: Headers) -> Headers:
        given = {name.lower() for name, _ in headers}
        identity = (b"x-request-id", self._request_id)
        if given.isdisjoint(_REPLACED):
            return [*headers, *self._added, identity]
        kept = [header for header in headers if header[0].lower() != b"x-request-id"]
        return [*kept, *(header for header in self._added if header[0] not in given or header[0] == b"vary"), identity]


def route_template(scope: Scope) -> str | None:
    """Return the template of the route that matched, with the prefixes of its routers; None where none did."""
    included = scope.get("fastapi")
    if included is not None:
        # FastAPI includes routers lazily: `scope["route"]` is the route as declared, without the prefix.
        template = getattr(included.get("effective_route_context"), "path_format", None)
        if template:
            return str(template)
    route = scope.get("route")
    return getattr(route, "path_format", None) or getattr(route, "path", None)


def _read_headers(headers: Any, max_body: int) -> tuple[bytes | None, TenantryError | None]:
    """Return the request id, if there is a safe one, and why the body cannot be taken, if it announces that.

    What is compressed would have to be unpacked before its size is known, so it is refused (RFC 9110 §8.4).
    """
    request_id: bytes | None = None
    refused: TenantryError | None = None
    for name, value in headers:
        if name == b"x-request-id":
            if _is_request_id(value):
                request_id = value
        elif name == b"content-length" and value.isdigit() and int(value[:20]) > max_body:
            refused = BodyTooLarge()
        elif name == b"content-encoding" and value.strip().lower() not in (b"", b"identity"):
            refused = refused or UnsupportedMediaType("Send the body as it is, without Content-Encoding.")
    return request_id, refused


def _with_cors(cors: Middleware, answer: ASGIApp) -> ASGIApp:
    wrapped: ASGIApp = cors.cls(answer, *cors.args, **cors.kwargs)
    return wrapped
