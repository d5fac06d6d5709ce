"""A column as lists see it: its type, and how it is compared, sorted and searched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, String

from tenantry.query.values import TEXT, ValueType


@dataclass(frozen=True, slots=True, eq=False)
class ListField:
    """A column that lists are filtered or sorted by."""

    name: str
    column: ColumnElement[Any]
    type: ValueType
    nullable: bool

    @property
    def ordered(self) -> ColumnElement[Any]:
        """The column as it is compared and sorted: texts byte by byte, the same on every server.

        An index serves this order if the column itself is declared with ``collation="C"``.
        """
        if self.type is TEXT and self._collation != "C":
            return self.column.collate("C")
        return self.column

    @property
    def searched(self) -> ColumnElement[Any]:
        """The column as ILIKE reads it: in the database's collation, because in C only ASCII letters have a case."""
        return self.column.collate("default") if self._collation else self.column

    @property
    def _collation(self) -> str | None:
        return self.column.type.collation if isinstance(self.column.type, String) else None
