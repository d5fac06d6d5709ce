import io
import json
from contextlib import asynccontextmanager
from typing import Annotated

import httpx2
import pytest
import structlog
from fastapi import APIRouter, Body, FastAPI, Header, HTTPException, Request, Response
from starlette.requests import ClientDisconnect

from tenantry.http import (
    AwareDateTime,
    BoundedInt,
    Email,
    HttpSettings,
    InputSchema,
    LongText,
    Password,
    RequestEdge,
    RichText,
    SafeJson,
    ShortText,
    Slug,
    cors_middleware,
    install_problem_handlers,
    read_json,
    require_json,
)
from tenantry.kernel import Environment, Kind, TenantryError, Unavailable, context
from tenantry.observability import AccessLog, Metrics


class Everything(InputSchema):
    name: ShortText | None = None
    text: LongText | None = None
    html: Annotated[str, RichText(10_000)] | None = None
    email: Email | None = None
    slug: Slug | None = None
    password: Password | None = None
    count: BoundedInt | None = None
    ratio: float | None = None
    at: AwareDateTime | None = None
    config: SafeJson | None = None
    tags: list[ShortText] | None = None


class KeyTaken(TenantryError):
    """A thing with this key exists."""

    kind = Kind.CONFLICT


class Broken(TenantryError):
    """It broke."""


class World:
    """One application with everything that can go wrong, its log lines and its metrics."""

    def __init__(self, *, environment=Environment.PRODUCTION, middleware=(), **settings):
        self.settings = HttpSettings(**settings)
        self.log = io.StringIO()
        self.metrics = Metrics()
        self.app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False}, redirect_slashes=False)
        add_routes(self.app)
        install_problem_handlers(self.app, self.settings.response_style)
        for layer in middleware:  # the last one added is the outermost
            self.app.add_middleware(layer)
        if cors := cors_middleware(self.settings):
            self.app.user_middleware.insert(0, cors)
        self.app.add_middleware(
            RequestEdge,
            self.settings,
            environment=environment,
            access_log=AccessLog(self.log),
            metrics=self.metrics,
        )

    @asynccontextmanager
    async def client(self):
        transport = httpx2.ASGITransport(app=self.app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            yield client

    async def request(self, method, path, **options):
        async with self.client() as client:
            return await client.request(method, path, **options)

    def lines(self):
        return [json.loads(line) for line in self.log.getvalue().splitlines()]

    def series(self):
        return {
            tuple(sample.labels.values()): sample.value
            for family in self.metrics.registry.collect()
            for sample in family.samples
            if sample.name == "tenantry_http_requests_total"
        }


def add_routes(app):
    add_things(app)
    add_bodies(app)
    add_failures(app)


def add_things(app):
    router = APIRouter(prefix="/things")

    @router.get("/{thing_id}")
    async def read(thing_id: int, limit: int = 1, x_count: Annotated[int, Header()] = 1) -> dict[str, int]:
        context.tenant_id.set("t-1")
        context.actor_id.set("u-1")
        return {"id": thing_id, "limit": limit, "x": x_count}

    @router.post("/{thing_id}")
    async def other_method(thing_id: int) -> None: ...

    @router.delete("/{thing_id}", status_code=204)
    async def third_method(thing_id: int) -> None: ...

    @app.get("/own-headers")
    async def own_headers() -> Response:
        headers = {"Cache-Control": "private, max-age=5", "X-Request-Id": "inner", "Vary": "Accept"}
        return Response(b"x", headers=headers)

    app.include_router(router, prefix="/api/v1")


def add_bodies(app):
    @app.post("/framework")
    async def by_fastapi(payload: Everything) -> dict[str, bool]:
        return {"ok": True}

    @app.post("/loose")
    async def loose(payload: Annotated[dict[str, int], Body()]) -> dict[str, bool]:
        return {"ok": True}

    @app.post("/ours")
    async def by_us(request: Request) -> dict[str, bool]:
        require_json(request.headers.get("content-type"))
        read_json(await request.body(), Everything)
        return {"ok": True}

    @app.post("/unread")
    async def unread() -> dict[str, bool]:
        return {"ok": True}


def add_failures(app):
    failures = {
        "taken": lambda: KeyTaken("The key OPS is used."),
        "busy": lambda: Unavailable("Later.", retry_after=1.2),
        "broken": lambda: Broken("secret detail"),
        "crash": lambda: RuntimeError("secret detail"),
        "timeout": TimeoutError,
        "refused": lambda: ConnectionRefusedError("10.0.0.1"),
        "group": lambda: ExceptionGroup("g", [KeyTaken("in a group")]),
        "teapot": lambda: HTTPException(418, "short and stout"),
        "unauthorized": lambda: HTTPException(401, "Not authenticated"),
        "odd": lambda: HTTPException(400, {"secret": "structure"}),
        "gone": ClientDisconnect,
        "missing": lambda: HTTPException(404),
    }

    @app.get("/fail/{how}")
    async def fail(how: str) -> None:
        error = failures[how]()
        raise error

    @app.get("/wrong-answer")
    async def wrong_answer() -> int:
        return "secret value"


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(autouse=True)
def quiet_logs():
    """Unconfigured, structlog draws every traceback with its variables: half a second for each planned crash."""
    with structlog.testing.capture_logs():
        yield


@pytest.fixture
def world():
    return World


@pytest.fixture
def everything():
    return Everything
