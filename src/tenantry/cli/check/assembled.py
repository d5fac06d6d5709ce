"""What the rules ask of an imported application, as plain facts; `loading` gathers them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel
from sqlalchemy import Table
from starlette.routing import Route

from tenantry.database.row_security import Policy

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ServedRoute:
    """A route, in its position; `has_rule` tells whether it declares who may call it."""

    route: Route
    has_rule: bool
    place: str

    @property
    def label(self) -> str:
        """Methods and path, for messages."""
        return f"{'/'.join(sorted(self.route.methods or {'ANY'}))} {self.route.path}"


@dataclass(frozen=True, slots=True)
class DeclaredVerbs:
    """The permissions of one resource: the verbs that exist, and those that some role holds."""

    resource: str
    verbs: frozenset[str]
    granted: frozenset[str]
    place: str
    folder: Path | None = None
    """Where the module lives, if it is one of the project's."""


@dataclass(frozen=True, slots=True)
class PermissionUse:
    """A permission that the application asks for."""

    permission: str
    place: str


@dataclass(frozen=True, slots=True)
class Located(Generic[T]):
    """Something that was imported, and where it is declared."""

    value: T
    place: str


@dataclass(frozen=True, slots=True)
class GuardedTable:
    """A table of the control plane, with what its model declares: policies, and what each role may do."""

    table: Table
    policies: Sequence[Policy]
    privileges: Mapping[str, Set[str]]


@dataclass(frozen=True)
class Assembled:
    """An imported application."""

    place: str
    routes: Sequence[ServedRoute] = ()
    permissions: Sequence[DeclaredVerbs] = ()
    uses: Sequence[PermissionUse] = ()
    inputs: Sequence[Located[type[BaseModel]]] = ()
    """The schemas of what clients send."""
    tables: Sequence[Located[Table]] = ()
    """The tables of the tenant plane."""
    control_tables: Sequence[Located[GuardedTable]] = ()
    """The tables of the control plane."""
    folders: Sequence[Path] = ()
    """The folders of its modules."""
    readmes: Mapping[Path, Mapping[str, str]] = field(default_factory=dict)
    """Folder of a module → section → what the module's declaration says in it."""
