"""`ShownRows`: reading, holding and changing rows of a framework table as a schema shows them, an extended one too."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import ColumnElement, select, update

from tenantry.database.planes import Table
from tenantry.database.statements import Statement, given
from tenantry.kernel import ConfigurationError


class ShownRows:
    """The statements of one row, with the columns that a schema shows.

    `where` finds the row, `touched` is set by every change, and `named` are fields that are no columns of that name.
    Raises `ConfigurationError` for a field that neither the table nor `named` has.
    """

    def __init__(
        self,
        model: type[Table],
        fields: Collection[str],
        *,
        where: ColumnElement[bool],
        touched: Mapping[str, Any],
        named: Mapping[str, ColumnElement[Any]] | None = None,
    ) -> None:
        columns = {**model.__table__.c, **(named or {})}
        if unknown := set(fields) - columns.keys():
            names = ", ".join(sorted(unknown))
            raise ConfigurationError(f"{model.__tablename__}: there is no {names}; add it by tenantry.database.extend.")
        self.shown = tuple(columns[name] for name in fields)
        found = select(*self.shown).where(where)
        self.by_id = Statement(found)
        self.lock = Statement(found.with_for_update(key_share=True))
        """The row, held until the end of the transaction, for a change that depends on what it says."""
        self._change = update(model).where(where).values(dict(touched)).returning(*self.shown)
        self._updates: dict[frozenset[str], Statement] = {}

    def update(self, columns: Collection[str]) -> Statement:
        """Return the statement that sets these columns from parameters of the same names."""
        names = frozenset(columns)
        if names not in self._updates:
            self._updates[names] = Statement(self._change.values(given(*sorted(names))))
        return self._updates[names]
