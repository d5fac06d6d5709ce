"""A write that is about to happen, as the hooks of a service see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tenantry.database import Row


@dataclass(frozen=True, slots=True)
class Write:
    """One write: `verb` is what is done (``create``, ``update``, ``delete``, ``purge``, ``restore``).

    >>> Write("update", {"name": "new"}).after("name")
    'new'
    """

    verb: str
    values: Mapping[str, Any] = field(default_factory=dict)
    """The columns that are set; for an update those alone that really change."""
    found: Row | None = None
    """The record as it was found and locked; None for a new one."""
    parent_id: UUID | None = None

    @property
    def before(self) -> Row:
        """The record as it was. `LookupError` for a new one."""
        if self.found is None:
            raise LookupError(f"there is no record before the verb {self.verb}")
        return self.found

    def after(self, column: str) -> Any:
        """Return the value of a column once the write is done."""
        return self.values.get(column, None if self.found is None else self.found[column])

    def changes(self, column: str) -> bool:
        """Tell whether a column gets a value, or another one."""
        return column in self.values
