"""The routes of one module, with who may call each."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fastapi.routing import APIRoute

from tenantry.app import Application
from tenantry.http import ResponseStyle, rules_of
from tenantry.module import Module
from tenantry.resources import ResourceRouter, is_controller

_VERBS = {"list": "read", "replace": "update", "restore": "delete"}
"""The verb of an operation, where it is another word."""
_RULES = {"public": "anybody", "current_access": "any member; the service decides"}


@dataclass(frozen=True, slots=True)
class Served:
    """A route, and in words who may call it."""

    route: APIRoute
    who: str


def served(application: Application, module: Module) -> Sequence[Served]:
    """Return the routes of a module, in their order."""
    alone = dataclasses.replace(application, modules=(module,))
    permissions = dict(_permissions(module))
    routes = alone.routes(ResponseStyle.PLAIN)
    return [Served(route, permissions.get(route.operation_id) or _asked(route)) for route in routes]


def _permissions(module: Module) -> Iterator[tuple[str | None, str]]:
    """Yield operation id and permission of the routes whose rule is no dependency: generated ones, and controllers'."""
    for router in module.routers:
        if isinstance(router, ResourceRouter):
            access = router.service.resource.access
            for route in router.routes(ResponseStyle.PLAIN):
                operation = (route.operation_id or "").rpartition("_")[2]
                yield route.operation_id, f"`{access.permission(_VERBS.get(operation, operation))}`"
        elif is_controller(router):
            for name, method in inspect.getmembers(router, lambda one: hasattr(one, "__endpoint__")):
                operation_id = f"{router.access.resource.replace('-', '_')}_{name}"
                yield operation_id, f"`{router.access.permission(method.__endpoint__.verb)}`"


def _asked(route: APIRoute) -> str:
    return ", ".join(_rule(rule) for rule in rules_of(route))


def _rule(rule: object) -> str:
    kept = inspect.getclosurevars(rule).nonlocals if inspect.isfunction(rule) else {}
    if isinstance(permission := kept.get("permission"), str):
        return f"`{permission}`"
    if "minimum" in kept:
        return f"{kept['minimum']} or above"
    name: str = getattr(rule, "__name__", "")
    return _RULES.get(name, name.removeprefix("require_").replace("_", " "))
