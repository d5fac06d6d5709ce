"""The parameters of a list as OpenAPI 3.1 describes them: exactly what `parse_list` takes.

`paging_parameters` are those of every list of an application, `openapi_parameters` those of one list. Routes declare
the latter; the document adds the former, because a route may be written before the settings are read.

Three rules cannot be said there: that spellings of paging are not mixed, that a page ends within the first 100,000
rows, and that there are at most 20 filters. The descriptions say the first two. ``filter[name][eq]``, the long form
of ``filter[name]``, is accepted and not listed.
"""

from __future__ import annotations

from typing import Any

from tenantry.query.cursor import MAX_CURSOR
from tenantry.query.paging import MAX_DEPTH, PageSizes
from tenantry.query.parse import MAX_SEARCH
from tenantry.query.spec import MAX_SORTS, ListSpec
from tenantry.query.values import TEXT

Parameter = dict[str, Any]


def openapi_parameters(spec: ListSpec) -> list[Parameter]:
    """Return the OpenAPI parameter objects of one list: sort, fields, search, filters. `fields` is always among them.

    >>> from sqlalchemy import Column, Integer, MetaData, Table
    >>> items = Table("items", MetaData(), Column("id", Integer, primary_key=True))
    >>> spec = ListSpec(dict(items.columns), fields=["id"], filters={"id"})
    >>> [parameter["name"] for parameter in openapi_parameters(spec)][-3:]
    ['filter[id][gt]', 'filter[id][gte]', 'filter[id][in]']
    """
    parameters = _choices(spec)
    if spec.search:
        schema = {"type": "string", "maxLength": MAX_SEARCH, "pattern": TEXT.schema["pattern"]}
        text = "Items in which a searched field contains this text, upper and lower case alike."
        parameters.append(_parameter("search", schema, text))
    for of_field in spec.filters.values():
        parameters += [_parameter(one.parameter, dict(one.operand.schema), one.meaning) for one in of_field.values()]
    return parameters


def paging_parameters(sizes: PageSizes) -> list[Parameter]:
    """Return the OpenAPI parameter objects that all lists have, with the sizes that `parse_list` gets.

    >>> [(one["name"], one["schema"].get("maximum")) for one in paging_parameters(PageSizes(50, 200))][:3]
    [('page', 100000), ('page_size', 200), ('skip', 99800)]
    """
    size = {"type": "integer", "minimum": 1, "maximum": sizes.largest, "default": sizes.default}
    page = {"type": "integer", "minimum": 1, "maximum": MAX_DEPTH, "default": 1}
    skip = {"type": "integer", "minimum": 0, "maximum": MAX_DEPTH - sizes.largest, "default": 0}
    cursor = {"type": "string", "minLength": 1, "maxLength": MAX_CURSOR, "pattern": "^[A-Za-z0-9_-]+$"}
    depth = f"The page must end within the first {MAX_DEPTH:,} rows; use `cursor` beyond."
    return [
        _parameter("page", page, f"Number of the page, from 1; not with `skip`, `limit` or `cursor`. {depth}"),
        _parameter("page_size", size, "Items on the page; with `page` or `cursor`."),
        _parameter("skip", skip, f"Rows to pass over; not with `page`, `page_size` or `cursor`. {depth}"),
        _parameter("limit", size, "Items on the page; with `skip` or `cursor`."),
        _parameter("cursor", cursor, "`next_cursor` of the page before, with the same sort, filters and search."),
        _parameter("with_total", {"type": "boolean", "default": False}, "Count the items of all pages."),
    ]


def _choices(spec: ListSpec) -> list[Parameter]:
    fields = _array({"type": "string", "enum": list(spec.fields)}, len(spec.fields)) | {"uniqueItems": True}
    chosen = [_parameter("fields", fields, "Fields of the items to answer; `id` is always among them.")]
    if not spec.sorts:
        return chosen
    sort = _array({"type": "string", "enum": list(spec.sort_terms)}, min(MAX_SORTS, len(spec.sorts)))
    # A list of different spellings may still name a field twice: -name, name.
    both = [[{"contains": {"const": name}}, {"contains": {"const": f"-{name}"}}] for name in spec.sorts]
    sort |= {"uniqueItems": True, "allOf": [{"not": {"allOf": pair}} for pair in both]}
    order = ",".join(f"-{name}" if descending else name for name, descending in spec.default_sort)
    text = f"Fields to sort by, a minus for descending; `{order}` unless given. Empty values come last."
    return [_parameter("sort", sort, text), *chosen]


def _array(items: Parameter, most: int) -> Parameter:
    return {"type": "array", "items": items, "minItems": 1, "maxItems": most}


def _parameter(name: str, schema: Parameter, description: str) -> Parameter:
    parameter = {"name": name, "in": "query", "required": False, "description": description, "schema": schema}
    return parameter | {"style": "form", "explode": False} if schema["type"] == "array" else parameter
