"""What the statements of a resource are built from: its table, its access rule, its projections; made once."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import BaseModel
from sqlalchemy import Table as SqlTable

from tenantry.access import ResourceAccess
from tenantry.kernel import ConfigurationError
from tenantry.resources.projection import Projection


@dataclass(frozen=True, eq=False)
class ResourceDefinition:
    """A resource, as its statements need to know it. Compared by identity, so that it can key a cache."""

    access: ResourceAccess
    read: type[BaseModel]
    list_item: type[BaseModel]
    table: SqlTable = field(init=False)
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
        restricted = self.access.restricted
        masked = {column.name for column in table.columns if column.info.get("sensitive")} | set(restricted)
        object.__setattr__(self, "table", table)
        object.__setattr__(self, "item", Projection(self.read, names))
        object.__setattr__(self, "line", Projection(self.list_item, names))
        object.__setattr__(self, "masked", frozenset(masked))
        object.__setattr__(self, "audited", tuple(name for name in names if name not in _UNAUDITED))
        for column in table.columns:
            if column.default is not None and column.name != "id":
                raise ConfigurationError(
                    f"{table.name}.{column.name} has a default made in Python, which compiled statements do not run: "
                    "use server_default."
                )
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


_UNAUDITED = {"tenant_id", "created_at", "updated_at", "version"}
"""Columns that say nothing which the audit line does not say itself."""
