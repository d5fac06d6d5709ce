"""Lists that are no resource's, with the same query strings as every other: filters, sort, pages, cursors."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from typing import Any

from sqlalchemy import Select

from tenantry.database import Statement, UnitOfWork
from tenantry.query.pages import ListPage, page_statement, read_page
from tenantry.query.request import ListRequest, ListShape
from tenantry.query.spec import ListSpec

_SHAPES_KEPT = 256


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
        self._page_of = lru_cache(maxsize=_SHAPES_KEPT)(self._compiled)

    async def read(self, uow: UnitOfWork, request: ListRequest, **values: object) -> ListPage:
        """Return the page that a request asks for; `values` are the parameters of the source."""
        row = await uow.exactly_one(self._page_of(request.shape), **request.params, **values)
        return read_page(row, request, self.spec)

    def _compiled(self, shape: ListShape) -> Statement:
        names = [name for name in self.spec.fields if shape.fields is None or name in shape.fields]
        return page_statement(self._rows.select(), [self._rows.c[name] for name in names], shape, self.spec)
