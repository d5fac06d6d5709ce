"""From the query string of a list to a `ListRequest`: every value checked, every name looked up in the spec.

Written for speed, because every list request pays it: names are looked up in tables that the spec made at start, and
requests without a cursor are remembered whole (they hold what their query string says, nothing of a tenant).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType

from tenantry.query.cursor import CursorSigner
from tenantry.query.decoding import read_pairs
from tenantry.query.errors import (
    InvalidFields,
    InvalidListRequest,
    InvalidPage,
    InvalidSearch,
    InvalidSort,
    UnknownField,
    UnknownFilter,
    UnknownOperator,
    UnknownParameter,
    UnknownSort,
)
from tenantry.query.filtering import read_filters
from tenantry.query.paging import Page, PageSizes, read_page
from tenantry.query.request import ListRequest, ListShape, Paging
from tenantry.query.spec import MAX_SORTS, ListSpec
from tenantry.query.values import boolean, like_pattern

MAX_SEARCH = 200
"""Characters."""

_REMEMBERED = 1024
_REMEMBERED_BYTES = 512

Sort = tuple[tuple[str, bool], ...]


def parse_list(
    query_string: bytes,
    spec: ListSpec,
    *,
    signer: CursorSigner,
    binding: str,
    sizes: PageSizes,
) -> ListRequest:
    """Return the validated request of a raw (still percent-encoded) query string.

    `binding` names tenant, actor and resource; a cursor that was made under another is refused. `sizes` are the
    application's. Raises a subclass of `InvalidListRequest` (400) whose `errors` point at the parameter.

    >>> from sqlalchemy import MetaData, String, Table, Uuid, Column
    >>> items = Table("items", MetaData(), Column("id", Uuid, primary_key=True), Column("name", String(100)))
    >>> spec = ListSpec(dict(items.columns), fields=["id", "name"], filters={"name"}, sorts={"name"})
    >>> request = parse_list(b"filter[name]=Ada&sort=-name&page=3&page_size=20", spec,
    ...                      signer=CursorSigner(bytes(32)), binding="t:a:items", sizes=PageSizes(50, 200))
    >>> request.shape.filters, request.shape.sort, dict(request.params)
    ((('name', 'eq'),), (('name', True), ('id', True)), {'f0': 'Ada', 'limit': 20, 'offset': 40})
    """
    is_memorable = len(query_string) <= _REMEMBERED_BYTES and b"cursor" not in query_string
    read = _remembered if is_memorable else _read
    request, cursor = read(query_string, spec, sizes)
    if cursor is None:
        return request
    keys = signer.keys(cursor, request, spec=spec, binding=binding)
    return _continued(request, keys)


def _read(query_string: bytes, spec: ListSpec, sizes: PageSizes) -> tuple[ListRequest, str | None]:
    pairs = read_pairs(query_string)
    if not pairs.keys() <= spec.parameters:
        raise _unknown(next(name for name in pairs if name not in spec.parameters), spec)
    page = read_page(pairs, sizes)
    filters, params = read_filters(pairs, spec)
    if pattern := _search(pairs.get("search", "")):
        params["q"] = pattern
    shape = ListShape(
        filters=filters,
        sort=_sort(pairs["sort"], spec) if "sort" in pairs else spec.default_sort,
        paging=Paging.OFFSET if page.offset else Paging.NONE,
        search=pattern is not None,
        fields=_fields(pairs["fields"], spec) if "fields" in pairs else None,
        with_total=_with_total(pairs.get("with_total", "false")),
    )
    return ListRequest(shape, MappingProxyType(params | _bounds(page)), page.limit), page.cursor


# An error is not remembered, so a flood of wrong requests displaces nothing.
_remembered = lru_cache(maxsize=_REMEMBERED)(_read)


def _continued(request: ListRequest, keys: list[object]) -> ListRequest:
    shape = replace(request.shape, paging=Paging.KEYSET, null_keys=tuple(key is None for key in keys))
    values = {f"k{position}": key for position, key in enumerate(keys) if key is not None}
    return ListRequest(shape, MappingProxyType({**request.params, **values}), request.limit)


def _bounds(page: Page) -> dict[str, object]:
    return {"limit": page.limit, "offset": page.offset} if page.offset else {"limit": page.limit}


def _search(text: str) -> str | None:
    if len(text) > MAX_SEARCH:
        raise InvalidSearch.at("?search", f"At most {MAX_SEARCH} characters.")
    return like_pattern(text) if text else None


def _sort(spelled: str, spec: ListSpec) -> Sort:
    try:
        terms = tuple([spec.sort_terms[term] for term in spelled.split(",")])
    except KeyError:
        raise UnknownSort.at("?sort", f"Sort by {_listed(spec.sorts)}; a minus before the name reverses.") from None
    if len(terms) > MAX_SORTS or len({name for name, _ in terms}) < len(terms):
        raise InvalidSort.at("?sort", f"At most {MAX_SORTS} fields, each once.")
    return spec.ending_with_id(terms)


def _fields(spelled: str, spec: ListSpec) -> tuple[str, ...] | None:
    """Return the chosen fields in the schema's order, with ``id``, without which an item cannot be addressed."""
    names = spelled.split(",")
    if not set(names) <= set(spec.fields):
        raise UnknownField.at("?fields", f"The items have {_listed(spec.fields)}.")
    if len(set(names)) < len(names):
        raise InvalidFields.at("?fields", "Name each field once.")
    chosen = tuple(name for name in spec.fields if name in names or name == "id")
    return None if chosen == spec.fields else chosen


def _with_total(text: str) -> bool:
    try:
        return boolean(text)
    except ValueError:
        raise InvalidPage.at("?with_total", "It takes true or false.") from None


def _unknown(parameter: str, spec: ListSpec) -> InvalidListRequest:
    if not parameter.startswith("filter["):
        return UnknownParameter.at(
            f"?{parameter}", f"A list takes {_listed(sorted(spec.parameters - spec.filter_parameters.keys()))}."
        )
    name = parameter.removeprefix("filter[").partition("]")[0]
    if name in spec.filters:
        return UnknownOperator.at(f"?{parameter}", f"filter[{name}] takes {_listed(spec.filters[name])}.")
    return UnknownFilter.at(f"?{parameter}", f"Filter by {_listed(spec.filters)}.")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "nothing"
