"""What clients may do with one list: declared once at start, checked there, looked up by every request."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Column, ColumnElement

from tenantry.kernel import ConfigurationError
from tenantry.query.list_field import ListField
from tenantry.query.operators import ListFilter, filters_of
from tenantry.query.values import TEXT, value_type_of

MAX_SORTS = 4
MAX_KEY_TEXT = 255
"""Characters of a text that is sorted by: its value travels in the cursor, and the cursor in the URL."""

ORDINARY = frozenset({"page", "page_size", "skip", "limit", "cursor", "sort", "fields", "with_total"})


class ListSpec:
    """The declaration of one list, made from the columns of its model.

    `filters`, `sorts` and `search` name columns; `fields` are the names of the item schema, in order; `default_sort`
    is spelled as in the query string. What is filtered, searched or sorted by can be found out by clients, whether
    it is among the fields or not: declare nothing that they may not read.

    Raises `ConfigurationError`, naming the field and the way out, for columns that cannot serve.

    >>> from sqlalchemy import MetaData, Numeric, String, Table, Uuid
    >>> items = Table("items", MetaData(), Column("id", Uuid, primary_key=True),
    ...               Column("name", String(100), nullable=False), Column("price", Numeric))
    >>> spec = ListSpec(dict(items.columns), filters={"name"}, sorts={"name"}, fields=["id", "name"])
    >>> list(spec.filters["name"])
    ['eq', 'ne', 'lt', 'lte', 'gt', 'gte', 'in', 'contains']
    >>> ListSpec(dict(items.columns), filters={"price"}, fields=["id"])
    Traceback (most recent call last):
    ...
    tenantry.kernel.errors.ConfigurationError: filter 'price': Numeric has no leakproof operators, so no index \
would serve it under row security; make it text with a CHECK, an integer, uuid, date, timestamptz or boolean
    """

    def __init__(
        self,
        columns: Mapping[str, ColumnElement[Any]],
        *,
        fields: Collection[str],
        filters: Collection[str] = (),
        sorts: Collection[str] = (),
        default_sort: str = "id",
        search: Collection[str] = (),
    ) -> None:
        self._columns = columns
        self._narrowed: dict[frozenset[str], ListSpec] = {}
        # `str`, because names taken from a table are SQLAlchemy's `quoted_name`, which not every JSON writer knows.
        self.fields = tuple(map(str, fields))
        self.filters = {name: filters_of(_field(columns, name, "filter")) for name in sorted(map(str, filters))}
        self.sorts = {name: _sort_field(columns, name) for name in sorted(map(str, sorts))}
        self._searched = tuple(sorted(map(str, search)))
        self.search = tuple(_search_column(columns, name) for name in self._searched)
        self.id = _sort_field(columns, "id")
        if self.id.nullable:
            raise ConfigurationError("sort 'id': it breaks ties and must not be NULL; declare it nullable=False")
        if "id" not in self.fields:
            raise ConfigurationError("fields: every item has an 'id'; add it to the list item schema")
        self.sort_terms = {sign + name: (name, sign == "-") for name in self.sorts for sign in ("", "-")}
        self.filter_parameters = _filter_parameters(self.filters)
        self.parameters = ORDINARY | self.filter_parameters.keys() | ({"search"} if search else set())
        self._default_sort = default_sort
        self.default_sort = self._default(default_sort)

    def without(self, hidden: frozenset[str]) -> ListSpec:
        """Return the declaration for whoever may not read some fields: they can be asked for nowhere.

        Raises `ConfigurationError` where the default sort is by one of them: a declaration has to work for everybody.
        """
        if not hidden:
            return self
        if hidden not in self._narrowed:  # as many as there are sets of restricted permissions
            self._narrowed[hidden] = ListSpec(
                self._columns,
                fields=[name for name in self.fields if name not in hidden],
                filters=self.filters.keys() - hidden,
                sorts=self.sorts.keys() - hidden,
                default_sort=self._default_sort,
                search=[name for name in self._searched if name not in hidden],
            )
        return self._narrowed[hidden]

    def key(self, name: str) -> ListField:
        """Return the field of one term of a sort order."""
        return self.id if name == "id" else self.sorts[name]

    def ending_with_id(self, terms: tuple[tuple[str, bool], ...]) -> tuple[tuple[str, bool], ...]:
        """Return the order with its tie-breaker: after ``id``, nothing is left to be ordered.

        The tie-breaker takes the direction of the term before it, so that one index can be read either way.
        """
        for position, (name, _) in enumerate(terms):
            if name == "id":
                return terms[: position + 1]
        return (*terms, ("id", terms[-1][1]))

    def _default(self, spelled: str) -> tuple[tuple[str, bool], ...]:
        terms = self.sort_terms | {"id": ("id", False), "-id": ("id", True)}
        chosen = spelled.split(",")
        if unknown := [term for term in chosen if term not in terms]:
            raise ConfigurationError(f"default_sort {unknown[0]!r}: declare it among the sorts, or use -id")
        if len(chosen) > MAX_SORTS:
            raise ConfigurationError(f"default_sort {spelled!r}: at most {MAX_SORTS} fields")
        return self.ending_with_id(tuple(terms[term] for term in chosen))


def _field(columns: Mapping[str, ColumnElement[Any]], name: str, use: str) -> ListField:
    if name not in columns:
        raise ConfigurationError(f"{use} {name!r}: there is no such column; there are {', '.join(sorted(columns))}")
    column = columns[name]
    value_type = value_type_of(column.type)
    if value_type is None:
        raise ConfigurationError(
            f"{use} {name!r}: {type(column.type).__name__} has no leakproof operators, so no index would serve it "
            "under row security; make it text with a CHECK, an integer, uuid, date, timestamptz or boolean"
        )
    # An expression does not say whether it can be NULL; taken for nullable, it is never paged wrongly.
    return ListField(name, column, value_type, nullable=not isinstance(column, Column) or bool(column.nullable))


def _sort_field(columns: Mapping[str, ColumnElement[Any]], name: str) -> ListField:
    field = _field(columns, name, "sort")
    if field.type is TEXT and not 0 < (getattr(field.column.type, "length", None) or 0) <= MAX_KEY_TEXT:
        raise ConfigurationError(
            f"sort {name!r}: its values would not fit into a cursor; declare the column String(n), n ≤ {MAX_KEY_TEXT}"
        )
    return field


def _search_column(columns: Mapping[str, ColumnElement[Any]], name: str) -> ColumnElement[Any]:
    field = _field(columns, name, "search")
    if field.type is not TEXT:
        raise ConfigurationError(f"search {name!r}: only text columns are searched; make it a filter")
    return field.searched


def _filter_parameters(filters: Mapping[str, Mapping[str, ListFilter]]) -> dict[str, ListFilter]:
    every = [one for of_field in filters.values() for one in of_field.values()]
    return {one.parameter: one for one in every} | {one.long_parameter: one for one in every}
