"""The document and the parser say the same: a value is valid for the one exactly if it is for the other."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote

import jsonschema_rs
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tenantry.query import (
    CursorSigner,
    InvalidListRequest,
    ListSpec,
    PageSizes,
    openapi_parameters,
    paging_parameters,
    parse_list,
)

# One item on a page, because how deep a page is depends on two parameters, which the document cannot say.
SIZES = PageSizes(default=1, largest=200)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["", "\0", "a,b", "x" * 500, "x" * 501, "é" * 200, "\U0001f600" * 201, "a\n", "-", "name", "secret"]
)
offsets = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
BY_FORMAT = {
    None: texts,
    "uuid": st.uuids().map(str) | texts | st.uuids().map(lambda value: value.hex),
    "date": st.dates().map(date.isoformat)
    | texts
    | st.sampled_from(["2031-02-29", "0000-01-01", "2031-2-1", "٢٠٣١-05-01"]),
    "date-time": st.datetimes(timezones=offsets).map(datetime.isoformat)
    | texts
    | st.sampled_from(
        ["9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00",
         "0001-01-01T00:00:00.5-14:00",
         "0000-01-01T00:00:00Z", "2031-01-01T00:00:60Z", "2031-06-30T23:59:60Z", "2031-01-01t00:00:00z",
         "2031-01-01 00:00:00Z", "2031-01-01T00:00:00.1234567Z", "9999-12-31T23:59:59.5-00:01", "2031-02-29T00:00:00Z"]
    ),
}  # fmt: skip


def candidates(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values of the schema's JSON type, many of them just outside of what it allows."""
    match schema["type"]:
        case "integer":
            edges = [schema["minimum"] - 1, schema["minimum"], schema["maximum"], schema["maximum"] + 1]
            return st.integers(-(2**70), 2**70) | st.sampled_from(edges) | st.integers(-2, 300)
        case "boolean":
            return st.booleans()
        case "array":
            some = schema["items"]
            items = st.sampled_from(some["enum"]) | texts if "enum" in some else candidates(some)
            return st.lists(items, max_size=8) | st.lists(items, max_size=6, unique=True)
        case _:
            return BY_FORMAT[schema.get("format")]


def wire(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(wire, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def documented(spec: ListSpec) -> list[dict[str, Any]]:
    return [*paging_parameters(SIZES), *openapi_parameters(spec)]


def is_accepted(query: bytes, spec: ListSpec, signer: CursorSigner) -> bool:
    try:
        parse_list(query, spec, signer=signer, binding="b", sizes=SIZES)
    except InvalidListRequest:
        return False
    return True


@settings(max_examples=2500, deadline=None)
@given(st.data())
def test_a_value_is_accepted_exactly_if_the_document_allows_it(spec, signer, data) -> None:
    parameters = [parameter for parameter in documented(spec) if parameter["name"] != "cursor"]
    parameter = data.draw(st.sampled_from(parameters))
    value = data.draw(candidates(parameter["schema"]))
    # On the wire, a list of one item with a comma is a list of two.
    assume(not isinstance(value, list) or not any("," in wire(item) for item in value))
    valid = jsonschema_rs.validator_for(
        {"$schema": "https://json-schema.org/draft/2020-12/schema"} | parameter["schema"], validate_formats=True
    ).is_valid(value)

    query = f"{quote(parameter['name'])}={quote(wire(value), safe='')}".encode()
    assert is_accepted(query, spec, signer) == valid, (parameter["name"], value)


def test_every_parameter_of_the_parser_is_in_the_document_once(spec) -> None:
    names = [parameter["name"] for parameter in documented(spec)]
    long_forms = {name for name in spec.parameters if name.endswith("[eq]")}
    assert sorted(names) == sorted(spec.parameters - long_forms)


def test_lists_are_written_with_commas(spec) -> None:
    styles = {p["name"]: (p["style"], p["explode"]) for p in openapi_parameters(spec) if "style" in p}
    assert styles["sort"] == styles["fields"] == styles["filter[name][in]"] == ("form", False)


def test_a_list_without_sorts_and_search_documents_none(spec) -> None:
    names = [p["name"] for p in openapi_parameters(ListSpec({"id": spec.id.column}, fields=["id"]))]
    assert names == ["fields"]
