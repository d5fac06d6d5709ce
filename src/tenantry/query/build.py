"""A list's shape as SQL: conditions, order, page. Everything that came from a client is a bound parameter.

One statement reads a page and the keys of its rows, ready for PostgreSQL to render::

    page = apply_list(select(*columns, *keys_of(shape, spec)).where(visible), shape, spec).cte("page")

What runs well under row security: comparisons of the types of `tenantry.query.values` are leakproof, so indexes that
start with the tenant serve them. ``search`` and ``contains`` (ILIKE) are not: they cost one scan of the tenant's rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Label,
    Select,
    String,
    and_,
    bindparam,
    false,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)

from tenantry.query.list_field import ListField
from tenantry.query.request import ListShape, Paging
from tenantry.query.spec import ListSpec

Statement = TypeVar("Statement", bound=Select[*tuple[Any, ...]])


def apply_list(statement: Statement, shape: ListShape, spec: ListSpec) -> Statement:
    """Return the page of `statement`: filtered, after the cursor, ordered, and one row longer than the limit.

    The row too many says whether there are others; it is not for the client. `statement` selects what it likes,
    from the visible set, and has no order of its own.
    """
    page = apply_filters(statement, shape, spec)
    if shape.paging is Paging.KEYSET:
        page = page.where(_after(_keys(shape, spec)))
    page = page.order_by(*(_order(key.field, descending=key.descending) for key in _keys(shape, spec)))
    page = page.limit(bindparam("limit", type_=BigInteger()) + literal_column("1"))
    return page.offset(bindparam("offset", type_=BigInteger())) if shape.paging is Paging.OFFSET else page


def apply_filters(statement: Statement, shape: ListShape, spec: ListSpec) -> Statement:
    """Return `statement` with the filters and the search, without order and page: what ``total`` counts."""
    for position, (name, operator) in enumerate(shape.filters):
        statement = statement.where(spec.filters[name][operator].condition(f"f{position}"))
    if shape.search:
        pattern = bindparam("q", type_=String())
        statement = statement.where(or_(*(column.ilike(pattern) for column in spec.search)))
    return statement


def count_of(statement: Select[*tuple[Any, ...]], shape: ListShape, spec: ListSpec) -> Select[int]:
    """Return the statement for ``total``: the rows of `statement` on all pages. It costs a scan of them."""
    return select(func.count()).select_from(apply_filters(statement, shape, spec).subquery("counted"))


def keys_of(shape: ListShape, spec: ListSpec) -> tuple[Label[Any], ...]:
    """Return the columns ``_k0``, ``_k1``… whose values in a page's last row `CursorSigner.next_cursor` takes."""
    return tuple(spec.key(name).column.label(f"_k{position}") for position, (name, _) in enumerate(shape.sort))


@dataclass(frozen=True, slots=True)
class _Key:
    field: ListField
    descending: bool
    is_null: bool
    value: BindParameter[Any]

    @property
    def beyond(self) -> ColumnElement[bool]:
        return self.field.ordered < self.value if self.descending else self.field.ordered > self.value

    @property
    def at_or_beyond(self) -> ColumnElement[bool]:
        return self.field.ordered <= self.value if self.descending else self.field.ordered >= self.value


def _keys(shape: ListShape, spec: ListSpec) -> list[_Key]:
    nulls = shape.null_keys or (False,) * len(shape.sort)
    fields = [spec.key(name) for name, _ in shape.sort]
    return [
        _Key(field, descending, is_null, bindparam(f"k{position}", type_=field.type.sql))
        for position, (field, (_, descending), is_null) in enumerate(zip(fields, shape.sort, nulls, strict=True))
    ]


def _after(keys: Sequence[_Key]) -> ColumnElement[bool]:
    """Return the condition for rows that come after the cursor's. NULLs come last in both directions."""
    if not keys:
        return false()
    first, rest = keys[0], keys[1:]
    column = first.field.ordered
    if first.is_null:
        return and_(column.is_(None), _after(rest))
    if all(key.descending is first.descending and not key.field.nullable for key in keys):
        return _row_after(keys)
    if first.field.nullable:
        return or_(first.beyond, column.is_(None), and_(column == first.value, _after(rest)))
    # The same as `beyond OR (equal AND after)`, said so that an index can start at the cursor's row.
    return and_(first.at_or_beyond, or_(first.beyond, _after(rest)))


def _row_after(keys: Sequence[_Key]) -> ColumnElement[bool]:
    # One comparison of rows is one range of an index; the expanded form would be filtered row by row.
    row, last = tuple_(*(key.field.ordered for key in keys)), tuple_(*(key.value for key in keys))
    return row < last if keys[0].descending else row > last


def _order(field: ListField, *, descending: bool) -> ColumnElement[Any]:
    if not descending:
        return field.ordered.asc()
    # Written only where it says something: an index on a NOT NULL column can then be read backwards.
    return field.ordered.desc().nulls_last() if field.nullable else field.ordered.desc()
