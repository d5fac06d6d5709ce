"""THE MAP: what a request passes on its way in, from top to bottom, and which routes there are, in order."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from fastapi.routing import APIRoute
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp

from tenantry.app import health
from tenantry.app.assembly import Assembly
from tenantry.app.denials import DenialEdge
from tenantry.app.dispatch import RouteIndex
from tenantry.app.openapi import openapi_document
from tenantry.http import RequestEdge, cors_middleware, install_problem_handlers


def create_app(assembly: Assembly) -> FastAPI:
    """Return the ASGI application of an assembly."""
    settings = assembly.settings
    style = settings.http.response_style
    docs = settings.http.docs_for(settings.environment)
    app = _Api(
        assembly,
        title=assembly.application.title,
        version=assembly.application.version,
        docs_url="/docs" if docs else None,
        redoc_url=None,
        openapi_url="/openapi.json" if docs else None,
        # FastAPI's telemetry would log exception messages with foreign values as soon as an SDK is installed.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.assembly = assembly
    app.router.redirect_slashes = False  # a path with a slash at its end is another path: 404, not a redirect
    app.router.routes.extend(health.router.routes)
    app.router.routes.extend(assembly.application.routes(style))
    install_problem_handlers(app, style)
    app.record_denials()
    return app


class _Api(FastAPI):
    """FastAPI with our stack: what stands here is all that a request passes, outermost first."""

    def __init__(self, assembly: Assembly, **options: Any) -> None:
        super().__init__(**options)
        self._assembly = assembly
        self._denials = DenialEdge(assembly.access.denials, assembly.application.singulars)

    def build_middleware_stack(self) -> ASGIApp:
        """Return the stack. `RequestEdge` renders whatever the layers inside it raise."""
        settings, runtime = self._assembly.settings, self._assembly.runtime
        app: ASGIApp = RouteIndex(
            self.router, self.router.routes, around=self._around, recording=self._denials.recording
        )
        if cors := cors_middleware(settings.http):
            app = cors.cls(app, *cors.args, **cors.kwargs)
        return RequestEdge(
            app,
            settings.http,
            environment=settings.environment,
            access_log=self._assembly.access_log,
            metrics=runtime.metrics,
        )

    def _around(self, app: ASGIApp) -> ASGIApp:
        """Return a route of FastAPI's own with what it counts on: rendered errors, and a stack that closes files."""
        return ExceptionMiddleware(AsyncExitStackMiddleware(app), handlers=self.exception_handlers, debug=False)

    def record_denials(self) -> None:
        """Note what FastAPI's routes refuse, before the handlers of their failures answer."""
        self._denials.record_denials(self)

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document, made on first use."""
        if self.openapi_schema is None:
            routes = [route for route in self.router.routes if isinstance(route, APIRoute) and route.include_in_schema]
            style = self._assembly.settings.http.response_style
            self.openapi_schema = openapi_document(
                self._assembly.application, routes, style, sizes=self._assembly.settings.page_sizes
            )
        return self.openapi_schema
