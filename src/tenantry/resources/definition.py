"""What the statements of a resource are built from: its table, its access rule, its projections; made once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, create_model
from sqlalchemy import ColumnElement, FromClause
from sqlalchemy import Table as SqlTable

from tenantry.access import ResourceAccess
from tenantry.audit import sensitive
from tenantry.database import Plane
from tenantry.kernel import ConfigurationError
from tenantry.resources.projection import Projection


@dataclass(frozen=True, eq=False)
class ResourceDefinition:
    """A resource, as its statements need to know it. Compared by identity, so that it can key a cache.

    The plane of the model decides scope, database role, trail and outbox; everything else is the same in every plane.
    """

    access: ResourceAccess
    read: type[BaseModel]
    list_item: type[BaseModel] = None  # type: ignore[assignment]  # `read`, unless lists show another
    key: str = "id"
    """The column that names a record; below its parent, where the parent is part of the primary key."""
    subject: str = ""
    """The column whose id the trail and the outbox name; the key where nothing else is said."""
    guarded: bool | None = None
    """Whether a write needs more than its permission: then a service without the hook of a verb refuses that verb.
    Where nothing is said, records of the control plane are guarded, and those of tenants are not."""
    page_name: str = field(init=False)
    """What a page of a list is called in the OpenAPI document."""
    rows: Callable[[SqlTable], FromClause] | None = None
    """Makes what is read and listed of the table, where that is more than it holds: a subquery with its columns, whose
    parameters `ResourceService.row_parameters` gives. Writes keep to the table."""
    plane: Plane = field(init=False)
    table: SqlTable = field(init=False)
    source: FromClause = field(init=False)
    """Where records are read: the table, or the `rows` made of it."""
    item: Projection = field(init=False)
    line: Projection = field(init=False)
    audited: tuple[str, ...] = field(init=False)
    """Columns whose values the trail shows."""
    masked: frozenset[str] = field(init=False)
    """Columns whose values the trail masks."""

    def __post_init__(self) -> None:
        """Derive the projections; refuse what the generated statements could not serve."""
        table = self.access.table
        names = [column.name for column in table.columns]
        object.__setattr__(self, "plane", self.access.plane)
        object.__setattr__(self, "source", table if self.rows is None else self.rows(table))
        stem = self.read.__name__.removesuffix("Read")
        object.__setattr__(self, "page_name", f"{self.list_item.__name__ if self.list_item else stem}Page")
        object.__setattr__(self, "list_item", self.list_item or _listed(self.read, stem))
        if self.guarded is None:
            object.__setattr__(self, "guarded", self.plane is Plane.CONTROL)
        object.__setattr__(self, "subject", self.subject or self.key)
        restricted = self.access.restricted
        object.__setattr__(self, "table", table)
        object.__setattr__(self, "item", Projection(self.read, names))
        object.__setattr__(self, "line", Projection(self.list_item, names))
        object.__setattr__(self, "masked", sensitive(table) | set(restricted))
        object.__setattr__(self, "audited", tuple(name for name in names if name not in _UNAUDITED))
        for column in table.columns:
            if column.default is not None and column.name != "id":
                raise ConfigurationError(
                    f"{table.name}.{column.name} has a default made in Python, which compiled statements do not run: "
                    "use server_default."
                )
        if missing := set(names) - set(self.source.c.keys()):
            raise ConfigurationError(f"rows of {self.name}: {', '.join(sorted(missing))} of {table.name} is missing")
        self._check_restricted()

    @property
    def name(self) -> str:
        """Name of the resource in permissions, events and audit lines, plural."""
        return self.access.resource

    @property
    def singular(self) -> str:
        """Name of one record in audit lines and events: ``project`` for ``projects``."""
        return self.access.singular

    @property
    def soft_deletes(self) -> bool:
        """Whether a delete marks the row instead of removing it."""
        return "deleted_at" in self.table.c

    @property
    def purgeable(self) -> bool:
        """Whether ``?hard=true`` says anything."""
        return self.plane is Plane.TENANT or self.soft_deletes

    @property
    def versioned(self) -> bool:
        """Whether a record counts its changes; only then it has an ETag."""
        return "version" in self.table.c

    @property
    def below_parent(self) -> bool:
        """Whether a record is named by its parent and its key together."""
        parent = self.access.parent
        return parent is not None and parent.column in self.table.primary_key.columns

    @property
    def columns(self) -> dict[str, ColumnElement[Any]]:
        """What lists are filtered, sorted and searched by: the columns, and what is computed beside them."""
        return {**dict(self.source.c), **self.line.computed(self.source)}

    @property
    def owned(self) -> bool:
        """Whether rows belong to a user."""
        return self.access.owner is not None

    def _check_restricted(self) -> None:
        """Refuse a restricted field that could not be left out."""
        for name in self.access.restricted:
            column = self.table.c[name]
            if not column.nullable and column.server_default is None:
                raise ConfigurationError(
                    f"{self.table.name}.{name} is restricted, so not everybody who creates a record may set it: "
                    "make it nullable or give it a server_default."
                )
            for schema in (self.read, self.list_item):
                if name in schema.model_fields and schema.model_fields[name].is_required():
                    raise ConfigurationError(
                        f"{schema.__name__}.{name} is restricted, so not every answer has it: give it a default."
                    )


def _listed(read: type[BaseModel], stem: str) -> type[BaseModel]:
    """Return the schema of an item where lists show what a read shows.

    A schema of its own, because `fields` may leave out members of an item, and of nothing else.
    """
    listed: type[BaseModel] = create_model(
        f"{stem}ListItem", __base__=read, __module__=read.__module__, __doc__=f"{read.__doc__}"
    )
    return listed


_UNAUDITED = {"tenant_id", "created_at", "updated_at", "version"}
"""Columns that say nothing which the audit line does not say itself."""
