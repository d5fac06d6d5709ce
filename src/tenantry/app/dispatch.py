"""Finding the route of a request by what its path looks like, before the router tries every route in turn.

A router compares the path with each of its regular expressions: with a hundred routes up to 60 µs for a request.
Method, the third segment of ``/api/v1/<resource>/…`` and the number of segments leave one or two of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from tenantry.http import API_PREFIX
from tenantry.resources import ResourceRoute

Wrap = Callable[[ASGIApp], ASGIApp]

_SEGMENT = API_PREFIX.count("/") + 1


class RouteIndex:
    """The innermost ASGI application: picks a route by its key, and leaves everything else to the router.

    FastAPI's routes need its middleware `around` them. Generated routes are called as they are, but for the trail of
    what they refuse (`recording`): they have no dependencies to close, and what they raise `RequestEdge` renders.
    """

    def __init__(self, router: ASGIApp, routes: list[BaseRoute], *, around: Wrap, recording: Wrap) -> None:
        self._router = around(router)
        self._by_key: dict[tuple[str, str, int], list[tuple[Route, ASGIApp]]] = defaultdict(list)
        for route in routes:
            if isinstance(route, Route) and route.path.startswith(API_PREFIX + "/"):
                app = recording(route.app) if isinstance(route, ResourceRoute) else around(route.app)
                segments = route.path.split("/")
                for method in route.methods or ():
                    self._by_key[method, segments[_SEGMENT], len(segments)].append((route, app))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request: by the indexed route, or by the router (404, 405, everything outside the API)."""
        if scope["type"] == "http":
            segments = scope["path"].split("/")
            if len(segments) > _SEGMENT:
                for route, app in self._by_key.get((scope["method"], segments[_SEGMENT], len(segments)), ()):
                    match, found = route.matches(scope)
                    if match is Match.FULL:
                        scope.update(found)
                        await app(scope, receive, send)
                        return
        await self._router(scope, receive, send)
