"""`Module`: what one domain module adds to an application."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tenantry.database import Table


class DeclaredPermissions(Protocol):
    """The permissions of a module; `tenantry.access.Permissions` is one. Declared here, because access is above."""

    @property
    def resource(self) -> str:
        """Name of the resource that the permissions are about."""
        ...

    @property
    def verbs(self) -> Mapping[str, str]:
        """Verb → description."""
        ...


@dataclass(frozen=True, slots=True)
class Module:
    """One domain module: its tables, its permissions, its routes.

    `models` are the mapped classes, whose ``__errors__`` translate violated constraints. `routers` are
    `ResourceRouter` values, or FastAPI routers made by `api_router`; their routes are matched in this order.
    `folder` is where the module lives; `tenantry check` reads its ``docs/readme.md``.

    >>> Module("notes").routers
    ()
    """

    name: str
    models: Sequence[type[Table]] = ()
    permissions: DeclaredPermissions | None = None
    routers: Sequence[Any] = ()
    folder: Path | None = None
