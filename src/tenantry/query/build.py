"""A list's shape as SQL: conditions, order, page. Everything that came from a client is a bound parameter.

One statement reads a page and the keys of its rows, ready for PostgreSQL to render::

    page = apply_list(select(*columns, *keys_of(shape, spec)).where(visible), shape, spec).cte("page")

What runs well under row security: the comparisons of `tenantry.query.values` are leakproof, so indexes that start
with the tenant serve them. ``search`` and ``contains`` (ILIKE) are not: they cost one scan of the tenant's rows.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    Boolean,
    ColumnElement,
    Label,
    Select,
    String,
    and_,
    any_,
    bindparam,
    false,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)

from tenantry.query.request import ListShape, Paging
from tenantry.query.spec import ListField, ListSpec

Statement = TypeVar("Statement", bound=Select[*tuple[Any, ...]])

Comparison = Callable[[ColumnElement[Any], ColumnElement[Any]], ColumnElement[bool]]

_RANGES: dict[str, Comparison] = {"lt": operator.lt, "lte": operator.le, "gt": operator.gt, "gte": operator.ge}


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
    for position, (name, op) in enumerate(shape.filters):
        statement = statement.where(_condition(spec.filters[name], op, f"f{position}"))
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
        return _RANGES["lt" if self.descending else "gt"](self.field.ordered, self.value)

    @property
    def at_or_beyond(self) -> ColumnElement[bool]:
        return _RANGES["lte" if self.descending else "gte"](self.field.ordered, self.value)


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
    compare = _RANGES["lt" if keys[0].descending else "gt"]
    return compare(tuple_(*(key.field.ordered for key in keys)), tuple_(*(key.value for key in keys)))


def _order(field: ListField, *, descending: bool) -> ColumnElement[Any]:
    if not descending:
        return field.ordered.asc()
    # Written only where it says something: an index on a NOT NULL column can then be read backwards.
    return field.ordered.desc().nulls_last() if field.nullable else field.ordered.desc()


def _condition(field: ListField, op: str, parameter: str) -> ColumnElement[bool]:
    if op == "null":
        return field.column.is_(None) == bindparam(parameter, type_=Boolean())
    if op == "in":  # an array: as many values as they may be, the statement stays the same
        return field.column == any_(bindparam(parameter, type_=ARRAY(field.type.sql)))
    value = bindparam(parameter, type_=field.type.sql)
    match op:
        case "eq":
            return field.column == value
        case "ne":  # the complement of `eq`: what has no value differs from every value
            return field.column.is_distinct_from(value) if field.nullable else field.column != value
        case "contains":
            return field.searched.ilike(value)
        case _:
            return _RANGES[op](field.ordered, value)
