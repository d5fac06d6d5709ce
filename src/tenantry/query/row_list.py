"""Lists of the control plane, with the same query strings as every resource: filters, sort, pages, cursors."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, func, literal_column

from tenantry.database import Statement, UnitOfWork
from tenantry.query.build import apply_list, count_of, keys_of
from tenantry.query.request import ListRequest, ListShape
from tenantry.query.spec import ListSpec

_SHAPES_KEPT = 256


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page: the JSON array of its items, the sort keys of the last one, and whether there are more."""

    json: str
    has_more: bool
    last_keys: tuple[object, ...]
    total: int | None


class RowList:
    """A list over `source`, whose columns are the fields of an item; one of them is ``id``.

    PostgreSQL renders the items. `source` carries the conditions that are no matter of the client, with their
    parameters.
    """

    def __init__(
        self,
        source: Select[*tuple[Any, ...]],
        *,
        filters: Collection[str],
        sorts: Collection[str],
        search: Collection[str],
        default_sort: str,
    ) -> None:
        self._rows = source.subquery("rows")
        columns = dict(self._rows.c)
        self.spec = ListSpec(
            columns, fields=tuple(columns), filters=filters, sorts=sorts, search=search, default_sort=default_sort
        )
        self._page_of = lru_cache(maxsize=_SHAPES_KEPT)(self._compiled_page)
        self._total_of = lru_cache(maxsize=_SHAPES_KEPT)(self._compiled_total)

    async def read(self, uow: UnitOfWork, request: ListRequest, **values: object) -> ListPage:
        """Return the page that a request asks for; `values` are the parameters of the source."""
        rows = await uow.all(self._page_of(request.shape), **request.params, **values)
        total = None
        if request.shape.with_total:
            total = await uow.value(self._total_of(request.shape), **request.params, **values)
        shown = rows[: request.limit]
        items = f"[{','.join(row['json'] for row in shown)}]"
        last_keys = tuple(shown[-1])[1:] if shown else ()
        return ListPage(items, len(rows) > len(shown), last_keys, total)

    def _compiled_page(self, shape: ListShape) -> Statement:
        names = [name for name in self.spec.fields if shape.fields is None or name in shape.fields]
        pairs = [part for name in names for part in (literal_column(f"'{name}'"), self._rows.c[name])]
        item = func.json_build_object(*pairs).label("json")
        rows = self._rows.select().with_only_columns(item, *keys_of(shape, self.spec))
        return Statement(apply_list(rows, shape, self.spec))

    def _compiled_total(self, shape: ListShape) -> Statement:
        return Statement(count_of(self._rows.select(), shape, self.spec))
