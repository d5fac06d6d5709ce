"""Hand-written routes in envelope style: the declared answer becomes `{success, title, content}`, in OpenAPI too."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from tenantry.http import GuardedRoute, ResponseStyle, envelope_of, wrap

_NO_CONTENT = 204


class EnvelopedRoute(GuardedRoute):
    """A guarded route whose JSON answers are wrapped after they were made; the title is the route's summary.

    The handler serialises by the declared model; the document shows the envelope around it.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **declared: Any) -> None:
        super().__init__(path, endpoint, **declared)
        documented = APIRoute(
            path,
            endpoint,
            **declared | {"response_model": envelope_of(self.response_model), "responses": self._responses()},
        )
        self.response_model, self.response_field = documented.response_model, documented.response_field
        self.responses, self.response_fields = documented.responses, documented.response_fields

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the route's handler with its answer wrapped."""
        handle = super().get_route_handler()
        title = self.summary or self.name.replace("_", " ").capitalize()

        async def enveloped(request: Request) -> Response:
            answer = await handle(request)
            if answer.status_code == _NO_CONTENT:
                return Response(wrap(ResponseStyle.ENVELOPE, title, b"null"), 200, media_type="application/json")
            body = wrap(ResponseStyle.ENVELOPE, title, bytes(answer.body))
            kept = {name: value for name, value in answer.headers.items() if name != "content-length"}
            return Response(body, answer.status_code, headers=kept)

        return enveloped

    def _responses(self) -> dict[int | str, dict[str, Any]]:
        """Return the other answers of the route, with an envelope around each that is one."""
        return {
            status: response | {"model": envelope_of(response["model"])} if "model" in response else response
            for status, response in self.responses.items()
        }


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
        response_model=route.response_model if has_content else None,
        responses=route.responses,
        status_code=route.status_code if has_content else 200,
        tags=route.tags,
        dependencies=route.dependencies,
        summary=route.summary,
        description=route.description,
        name=route.name,
        methods=route.methods,
        operation_id=route.operation_id,
        openapi_extra=route.openapi_extra,
    )
