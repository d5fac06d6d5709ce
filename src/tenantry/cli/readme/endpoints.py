"""*API Endpoints*: method, path and permission of every route."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tenantry.cli.readme.served import Served
from tenantry.cli.readme.tables import table


def endpoints(routes: Sequence[Served]) -> str:
    """Return the routes as a table; an empty text where there are none."""
    return table(["method", "path", "who"], _rows(routes)) if routes else ""


def _rows(routes: Sequence[Served]) -> Iterator[Sequence[str]]:
    for served in routes:
        for method in sorted(served.route.methods or ()):
            yield method, f"`{served.route.path}`", served.who
