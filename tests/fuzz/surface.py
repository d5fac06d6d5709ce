"""Who fuzzes: the headers that are sent, the ids that are named, the bodies that a schema cannot tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.acceptance.surface import Ids
from tests.fuzz.direct import Headers

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Caller:
    """Who sends the requests, with the ids that they use; `bodies` are valid ones that a schema cannot tell."""

    headers: Headers
    ids: Ids
    bodies: Mapping[str, Mapping[str, Any] | Callable[[], Mapping[str, Any]]] = field(default_factory=dict)

    def body(self, name: str) -> dict[str, Any] | None:
        """Return the body that is written down for an operation, made anew where the moment is part of it."""
        given = self.bodies.get(name)
        return None if given is None else dict(given() if callable(given) else given)
