"""Hand-written routes in envelope style: the declared answer becomes `{success, title, content}`, in OpenAPI too."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from tenantry.http import GuardedRoute, ResponseStyle, envelope_of, wrap

_NO_CONTENT = 204


class EnvelopedRoute(GuardedRoute):
    """A guarded route whose JSON answers are wrapped after they were made; the title is the route's summary."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the route's handler with its answer wrapped."""
        handle = super().get_route_handler()
        title = self.summary or self.name

        async def enveloped(request: Request) -> Response:
            answer = await handle(request)
            if answer.status_code == _NO_CONTENT:
                return Response(wrap(ResponseStyle.ENVELOPE, title, b"null"), 200, media_type="application/json")
            body = wrap(ResponseStyle.ENVELOPE, title, bytes(answer.body))
            kept = {name: value for name, value in answer.headers.items() if name != "content-length"}
            return Response(body, answer.status_code, headers=kept)

        return enveloped


def in_style(routes: Iterable[APIRoute], style: ResponseStyle) -> list[APIRoute]:
    """Return hand-written routes as they are, or in envelope style."""
    if style is ResponseStyle.PLAIN:
        return list(routes)
    return [_enveloped(route) if isinstance(route, GuardedRoute) else route for route in routes]


def _enveloped(route: APIRoute) -> EnvelopedRoute:
    has_content = route.status_code != _NO_CONTENT
    return EnvelopedRoute(
        route.path,
        route.endpoint,
        response_model=envelope_of(route.response_model if has_content else None),
        status_code=route.status_code if has_content else 200,
        tags=route.tags,
        dependencies=route.dependencies,
        summary=route.summary,
        description=route.description,
        responses=route.responses,
        name=route.name,
        methods=route.methods,
        operation_id=route.operation_id,
        openapi_extra=route.openapi_extra,
    )
