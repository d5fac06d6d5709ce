"""Every route says who may call it, has a name of its own, and can be reached.

A route without a rule is open by oversight, and nobody looks for what was never decided; so "open" has to be said too
(`public`). Two operations with one id make a generated client in which one of them is missing. A static path behind
``/{id}`` is never reached: ``/items/export`` answers 422, because "export" is no UUID.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from starlette.routing import Route

from tenantry.cli.check.assembled import ServedRoute
from tenantry.cli.check.finding import Finding
from tenantry.cli.check.project import CheckedProject

NAME = "route-rule"

_PARAMETER = re.compile(r"{[^}]+}")


def check(project: CheckedProject) -> Iterator[Finding]:
    """Yield routes without a rule, with a repeated operation id, and behind one that answers first."""
    routes = project.application.routes if project.application else ()
    yield from _undeclared(routes)
    yield from _repeated(routes)
    yield from _shadowed(routes)


def _undeclared(routes: Sequence[ServedRoute]) -> Iterator[Finding]:
    for served in routes:
        if not served.has_rule:
            yield Finding(
                NAME,
                served.place,
                f"{served.label} does not say who may call it",
                'declare it: dependencies=[require_permission("…")], [member], or [Depends(public)]',
            )


def _repeated(routes: Sequence[ServedRoute]) -> Iterator[Finding]:
    first: dict[str, ServedRoute] = {}
    for served in routes:
        name = _operation_id(served.route)
        if name in first:
            reason = f"{served.label} has the operation id {name}, as {first[name].label} has"
            yield Finding(NAME, served.place, reason, "give it an operation_id of its own: <resource>_<verb>")
        first.setdefault(name, served)


def _shadowed(routes: Sequence[ServedRoute]) -> Iterator[Finding]:
    for position, served in enumerate(routes):
        sample = _PARAMETER.sub("x", served.route.path)
        for earlier in routes[:position]:
            if _methods(earlier.route) & _methods(served.route) and earlier.route.path_regex.match(sample):
                reason = f"{served.label} is never reached: {earlier.label} answers first"
                yield Finding(NAME, served.place, reason, "put static paths before those with a parameter")
                break


def _methods(route: Route) -> set[str]:
    return set(route.methods or ()) - {"HEAD", "OPTIONS"}


def _operation_id(route: Route) -> str:
    declared = getattr(route, "operation_id", None) or getattr(route, "unique_id", None)
    return str(declared or f"{route.name} {route.path}")
