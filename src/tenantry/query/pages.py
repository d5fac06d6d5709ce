"""A page of a list in one statement: PostgreSQL renders the items, and nothing is counted to know of the next page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    Subquery,
    Text,
    cast,
    func,
    literal_column,
    select,
    true,
)

from tenantry.database import Statement
from tenantry.query.build import apply_list, count_of, keys_of
from tenantry.query.request import ListRequest, ListShape
from tenantry.query.spec import ListSpec

SEPARATOR = ",\n"
"""Between the items of a page. PostgreSQL writes no line feed into JSON (within texts it is escaped), so the last item
can be cut off without parsing; and as white space it is part of the answer."""

_SEPARATOR_SQL: ColumnElement[str] = literal_column(f"E'{SEPARATOR.encode('unicode_escape').decode()}'")


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page: the JSON text of the array, whether more follow, the last row's sort keys, the total if asked for."""

    json: str
    has_more: bool
    keys: tuple[Any, ...]
    total: int | None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing on it."""
        return self.json == "[]"


def page_statement(
    rows: Select[*tuple[Any, ...]], fields: Sequence[ColumnElement[Any]], shape: ListShape, spec: ListSpec
) -> Statement:
    """The statement of a page: ``items`` (JSON texts joined by `SEPARATOR`, or null), ``count``, ``total``, ``_k0``…

    One row more than the page is read, which tells whether there is a next page; `read_page` drops it. A sort key that
    is none of the `fields` comes as ``_k<i>``, the array of its values.

    Measured for 50 rows, CPU of the server with `BEGIN` and `COMMIT`: 270 µs with a window function, `json_agg(…)
    FILTER` and the keys of the last row; 199 µs with a slice of `array_agg`; 125 µs so.
    """
    page, body = _page(rows, fields, shape, spec)
    columns: list[ColumnElement[Any]] = [
        func.string_agg(cast(json_of(body), Text), _SEPARATOR_SQL).label("items"),
        func.count().label("count"),
        *(func.array_agg(key).label(key.name) for key in page.c if key.name.startswith("_k")),
    ]
    if shape.with_total:
        columns.append(count_of(rows, shape, spec).scalar_subquery().label("total"))
    return Statement(select(*columns).select_from(page if body is page else page.join(body, true())))


def read_page(row: Mapping[str, Any], request: ListRequest, spec: ListSpec) -> ListPage:
    """Return the page that the row of a `page_statement` holds."""
    items: str = row["items"] or ""
    has_more = row["count"] > request.limit
    if has_more:
        items = items[: items.rindex(SEPARATOR)]
    keys = _keys_of_last(items, row, request, spec) if has_more else ()
    return ListPage(f"[{items}]", has_more, keys, row["total"] if request.shape.with_total else None)


def whole_row(rows: FromClause) -> ColumnElement[Any]:
    """Return the reference to a named subquery's row as one value."""
    return literal_column(f'"{rows.name}"')  # type: ignore[attr-defined]


def json_of(rows: FromClause) -> ColumnElement[Any]:
    """Return the expression that renders a named subquery's row as a JSON object, in the order of its columns."""
    return func.row_to_json(whole_row(rows))


def _page(
    rows: Select[*tuple[Any, ...]], fields: Sequence[ColumnElement[Any]], shape: ListShape, spec: ListSpec
) -> tuple[Subquery, FromClause]:
    """The rows of a page, and the row to render for each: the same, unless a sort key is no field of the answer."""
    named = {field.name for field in fields}
    keys = [key for key, (name, _) in zip(keys_of(shape, spec), shape.sort, strict=True) if name not in named]
    page = apply_list(rows.with_only_columns(*fields, *keys), shape, spec).subquery("_page_")
    if not keys:
        return page, page
    return page, select(*(field for field in page.c if field.name in named)).correlate(page).lateral("_body_")


def _keys_of_last(items: str, row: Mapping[str, Any], request: ListRequest, spec: ListSpec) -> tuple[object, ...]:
    """Return the sort keys of the page's last item: read from its JSON, where they are fields of it."""
    last = json.loads(items[items.rfind(SEPARATOR) + 1 :].lstrip(SEPARATOR))
    return tuple(
        spec.key(name).type.read(last[name]) if name in last else row[f"_k{at}"][request.limit - 1]
        for at, (name, _) in enumerate(request.shape.sort)
    )
