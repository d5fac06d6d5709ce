"""Where refusals meet the trail: whatever is about to be answered with 403 is noted first.

There are two ways out of a route. Generated routes raise through `recording`; FastAPI answers what its own routes raise
inside of them, by the handlers that `record_denials` puts the trail in front of. An allowed request pays 0.14 µs on the
first way (one more coroutine; median of nine times 200,000 calls of a route that does nothing), nothing on the second.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi import FastAPI, Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tenantry.access import Denial, DenialTrail, NotPermitted
from tenantry.http import problem_for, route_template
from tenantry.kernel import Actor, ActorKind

_FORBIDDEN = 403
_MAX_TYPE = 60
_BY_ROUTE: Mapping[str, str] = {"users": "user", "tenants": "tenant", "platform": "tenant"}
"""What the trail calls the records of routes that serve no resource, by the tag of the route."""


@dataclass(frozen=True)
class DenialEdge:
    """Turns what was raised into lines of the trail.

    `singulars` are the trail's names for the records of resources, by the resource's name.
    """

    trail: DenialTrail
    singulars: Mapping[str, str]

    def recording(self, app: ASGIApp) -> ASGIApp:
        """Return a generated route that notes its refusals before they are rendered."""

        async def recorded(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await app(scope, receive, send)
            except Exception as error:
                await self.note(error, scope)
                raise

        return recorded

    def record_denials(self, app: FastAPI) -> None:
        """Put the trail in front of the handlers that `app` has: call it after they are installed."""
        for kind, handler in list(app.exception_handlers.items()):
            app.exception_handlers[kind] = self._before(handler)

    async def note(self, error: Exception, scope: Scope) -> None:
        """Note a refusal if it is one, and somebody known was refused."""
        problem = problem_for(error, scope)
        if problem.status != _FORBIDDEN:
            return
        state = scope.get("state") or {}
        actor = _actor(state)
        if actor is None:
            return
        principal = state.get("principal")
        facts = error if isinstance(error, NotPermitted) else NotPermitted()
        route = scope.get("route")
        denial = Denial(
            actor,
            None if principal is None else principal.tenant,
            code=problem.code,
            permission=facts.permission,
            resource_type=facts.resource_type or self._type(facts.permission, route),
            resource_id=facts.record_id or (_id_in_path(scope) if principal is None else None),
            method=scope["method"],
            route=getattr(route, "operation_id", None) or route_template(scope) or "",
            request_id=state.get("request_id"),
        )
        await self.trail.note(denial)

    def _before(self, handler: Callable[[Any, Any], Any]) -> Callable[[Request, Exception], Awaitable[Response]]:
        async def noting(request: Request, error: Exception) -> Response:
            await self.note(error, request.scope)
            answer: Response = await handler(request, error)
            return answer

        return noting

    def _type(self, permission: str | None, route: object) -> str:
        """Return the sort of thing that was refused: what the permission is about, else the route."""
        tags = getattr(route, "tags", None) or [""]
        name = permission.partition(":")[0] if permission else str(tags[0])
        return (self.singulars.get(name) or _BY_ROUTE.get(name) or name)[:_MAX_TYPE]


def _actor(state: Mapping[str, Any]) -> Actor | None:
    """Return who was refused, as far as the request got: a principal, a person, a key, nobody."""
    if (principal := state.get("principal")) is not None:
        known: Actor = principal.actor
        return known
    if (identity := state.get("identity")) is not None:
        return Actor(ActorKind.USER, identity.user_id)
    if (key := state.get("api_key")) is not None:
        return Actor(ActorKind.API_KEY, key.id)
    return None


def _id_in_path(scope: Scope) -> UUID | None:
    """Return the last id of the path: what a request without a tenant was about.

    In a tenant an id counts only where the rule has found the record: others are the caller's own words, and would put
    the ids of a stranger's records into the trail.
    """
    for text in reversed(scope.get("path_params", {}).values()):
        try:
            return UUID(str(text))
        except ValueError:
            continue
    return None
