"""Projections: a read schema as a list of SQL expressions, so that PostgreSQL makes the JSON of the answer itself.

Rows that become Python objects, then a model, then JSON cost more than all the rest of a list request.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from sqlalchemy import ColumnElement, Exists, FromClause, ScalarSelect
from sqlalchemy.sql.visitors import replacement_traverse

from tenantry.kernel import ConfigurationError

_RENDERED = (str, int, bool, UUID, datetime, date, dict, list)
"""Types whose JSON from PostgreSQL and from Pydantic mean the same; proven by tests/resources/test_projection.py."""


@dataclass(frozen=True, slots=True)
class SqlField:
    """Metadata of a read field that is no column: ``Annotated[int, SqlField(lambda rows: …)]``.

    `rows` is the record, with the columns of the table. A subquery asks about that record alone: whatever it reads of
    `rows` is taken from the row at hand, never from all of them.

    >>> from sqlalchemy import column, select, table
    >>> users, notes = table("users", column("id"), column("name")), table("notes", column("id"), column("author_id"))
    >>> author = SqlField(lambda rows: select(users.c.name).where(users.c.id == rows.c.author_id).scalar_subquery())
    >>> print(select(author.of(notes)).select_from(notes))  # doctest: +NORMALIZE_WHITESPACE
    SELECT (SELECT users.name FROM users WHERE users.id = notes.author_id) AS anon_1 FROM notes
    """

    expression: Callable[[FromClause], ColumnElement[Any]]

    def of(self, rows: FromClause) -> ColumnElement[Any]:
        """Return the expression over `rows`, its subqueries correlated with them.

        SQLAlchemy correlates by itself with the statement around a subquery alone. The body of an answer is two
        statements further in, and there ``FROM tags, items`` would read every record that the tenant has.
        """

        def correlated(element: Any, **_: Any) -> Any:
            return element.correlate(rows) if isinstance(element, ScalarSelect | Exists) else None

        found: ColumnElement[Any] = replacement_traverse(self.expression(rows), {}, correlated)
        return found


class Projection:
    """The fields of a read schema over a table, in the schema's order.

    Raises `ConfigurationError` at construction for a field that has neither a column nor an expression, or a type
    that PostgreSQL renders differently than Pydantic (float, Decimal, bytes, timedelta); a service can answer such
    resources with its own Pydantic model.
    """

    def __init__(self, schema: type[BaseModel], columns: Sequence[str]) -> None:
        self.schema = schema
        self.names = tuple(schema.model_fields)
        self._fields = schema.model_fields
        for name, field in self._fields.items():
            self._check(name, field, columns)

    def of(
        self, rows: FromClause, *, only: Sequence[str] | None = None, hidden: frozenset[str] = frozenset()
    ) -> list[ColumnElement[Any]]:
        """Return the labelled expressions over `rows`; `only` keeps some of the fields, `hidden` leaves some out."""
        kept = [name for name in self.names if name not in hidden and (only is None or name in only)]
        return [self._expression(name, rows).label(name) for name in kept]

    def computed(self, rows: FromClause) -> dict[str, ColumnElement[Any]]:
        """Return the expressions of the fields that are no columns."""
        return {name: found.of(rows) for name in self.names if (found := _sql_field(self._fields[name]))}

    def _expression(self, name: str, rows: FromClause) -> ColumnElement[Any]:
        computed = _sql_field(self._fields[name])
        return computed.of(rows) if computed else rows.c[name]

    def _check(self, name: str, field: FieldInfo, columns: Sequence[str]) -> None:
        place = f"{self.schema.__name__}.{name}"
        if _sql_field(field) is None and name not in columns:
            raise ConfigurationError(f"{place} is no column of the model: add one, or annotate it with SqlField(…).")
        for part in _parts(field.annotation):
            if not (isinstance(part, type) and issubclass(part, _RENDERED)):
                raise ConfigurationError(
                    f"{place}: PostgreSQL does not render {part!r} as Pydantic does; "
                    "use a text, integer, boolean, uuid, date, datetime or JSON field, or answer with your own model."
                )


def _sql_field(field: FieldInfo) -> SqlField | None:
    return next((item for item in field.metadata if isinstance(item, SqlField)), None)


def _parts(annotation: Any) -> list[Any]:
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        return [part for member in get_args(annotation) if member is not NoneType for part in _parts(member)]
    if origin is Literal:
        return [type(value) for value in get_args(annotation)]
    return [origin or annotation]
