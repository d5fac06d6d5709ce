"""The OpenAPI document is whole and true: valid, the same everywhere, and complete about every operation."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from fastapi.routing import APIRoute
from tests.acceptance.surface import Operation
from tests.fuzz.conftest import Scene

from planner.app import application
from tenantry.app import Settings, openapi_document
from tenantry.http import ResponseStyle, public, rules_of

STYLES = list(ResponseStyle)
SIZES = Settings().page_sizes
DOCUMENTS = {style: openapi_document(application, application.routes(style), style, sizes=SIZES) for style in STYLES}
OPERATIONS = Operation.of_document(DOCUMENTS[ResponseStyle.PLAIN])


@pytest.mark.parametrize("style", STYLES)
def test_it_is_valid_openapi(style: ResponseStyle) -> None:
    document = copy.deepcopy(DOCUMENTS[style])
    assert document["openapi"].startswith("3.1.")
    # Relative, so that it is right behind every host: the text of OpenAPI 3.1 allows that, its JSON Schema does not.
    flow = document["components"]["securitySchemes"]["bearer"]["flows"]["password"]
    flow["tokenUrl"] = "https://api.example.com" + flow["tokenUrl"]
    schemathesis.openapi.from_dict(document).validate()
    for schema in (*document["components"]["schemas"].values(), *_parameter_schemas(document)):
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})


@pytest.mark.parametrize("style", STYLES)
def test_every_reference_leads_somewhere_and_no_component_is_left_over(style: ResponseStyle) -> None:
    document = DOCUMENTS[style]
    referred = set(re.findall('"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert referred == set(document["components"]["schemas"])


def test_operation_ids_are_unique_readable_and_the_same_in_both_styles() -> None:
    ids = [operation.id for operation in OPERATIONS]
    assert len(set(ids)) == len(ids)
    assert [name for name in ids if not re.fullmatch("[a-z]+(_[a-z]+)+", name)] == []
    assert ids == [operation.id for operation in Operation.of_document(DOCUMENTS[ResponseStyle.ENVELOPE])]


def test_the_command_line_writes_the_document_that_is_served_without_any_database(scene_document: Any) -> None:
    command = [Path(sys.executable).with_name("tenantry"), "openapi"]
    nothing = {"PATH": "/nowhere", "TENANTRY_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nowhere"}
    written = subprocess.run(command, env=nothing, capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(written.stdout) == scene_document


@pytest.fixture(scope="module")
async def scene_document(scene: Scene, anyio_backend: object) -> Any:
    return json.loads(json.dumps(scene.world.app.openapi()))


@pytest.mark.parametrize("style", STYLES)
def test_every_operation_says_how_it_fails(style: ResponseStyle) -> None:
    media = "application/problem+json" if style is ResponseStyle.PLAIN else "application/json"
    for operation in Operation.of_document(DOCUMENTS[style]):
        assert _expected_failures(operation) <= _failures(operation), operation.id
        for status in _failures(operation):
            content = operation.declared["responses"][str(status)]["content"]
            assert list(content) == [media], (operation.id, status)
            assert content[media]["schema"]["$ref"].startswith("#/components/schemas/Problem")


def test_no_operation_says_that_it_fails_in_ways_it_cannot() -> None:
    for operation in OPERATIONS:
        impossible = {412} if "if-match" not in _lower(operation.names("header")) else set()
        impossible |= {413, 415} if operation.media_type is None else set()
        impossible |= {404} if "{" not in operation.path and not _asks_about_an_id(operation) else set()
        impossible |= {403, 409} if operation.is_public and operation.id != "auth_register" else set()
        assert not impossible & _failures(operation), operation.id


def test_security_and_tenant_headers_stand_where_the_rules_of_the_route_ask_for_them() -> None:
    routes = {route.operation_id: route for route in application.routes(ResponseStyle.PLAIN)}
    for operation in OPERATIONS:
        is_public = _is_open(routes[operation.id])
        assert operation.is_public is is_public, operation.id
        of_tenant = {"x-tenant-id", "x-tenant-slug"} & _lower(operation.names("header"))
        assert len(of_tenant) in ((0,) if is_public else (0, 2)), operation.id
        expected = [] if is_public else [{"bearer": []}]
        expected += [{"api_key": []}] if of_tenant else []  # a key is of a tenant, and of nothing else
        assert operation.declared.get("security", []) == expected, operation.id


def test_parameters_are_named_once_described_and_bounded() -> None:
    for operation in OPERATIONS:
        parameters = operation.declared.get("parameters", [])
        named = [(one["in"], one["name"].lower()) for one in parameters]
        assert len(set(named)) == len(named), operation.id
        for one in parameters:
            assert one["in"] == "path" or one.get("description"), (operation.id, one["name"])
            assert {"type": "null"} not in one["schema"].get("anyOf", ()), (operation.id, one["name"])
            assert _is_bounded(one["schema"]), (operation.id, one["name"])


def test_every_operation_has_a_summary_for_people_and_nothing_of_the_code() -> None:
    for operation in OPERATIONS:
        declared = operation.declared
        assert declared["summary"]
        assert declared["tags"]
        assert not re.search(r"\ba [aeiou]", declared["summary"]), declared["summary"]
        assert "never called" not in declared.get("description", "")


@pytest.mark.parametrize("style", STYLES)
def test_no_description_is_written_for_those_who_read_the_code(style: ResponseStyle) -> None:
    told = [text for text in _descriptions(DOCUMENTS[style]) if re.search(r">>>|\bRaises\b|\w+\(\)|\bNone\b", text)]
    assert told == []


def test_a_record_says_which_headers_come_with_it() -> None:
    for operation in OPERATIONS:
        if operation.id in {"items_read", "items_create", "items_update", "items_replace", "items_restore"}:
            [answer] = [one for status, one in operation.declared["responses"].items() if status in ("200", "201")]
            assert "ETag" in answer["headers"], operation.id
            assert ("Location" in answer["headers"]) is (operation.id == "items_create")


def _failures(operation: Operation) -> set[int]:
    return {int(status) for status in operation.declared["responses"] if int(status) >= 400}


def _expected_failures(operation: Operation) -> set[int]:
    expected = {503}
    expected |= set() if operation.is_public else {401}
    expected |= {400, 403} if operation.is_of_tenant else set()
    expected |= {400} if operation.names("query") or operation.names("header") else set()
    expected |= {404, 422} if "{" in operation.path else set()
    expected |= {413, 415, 422} if operation.media_type else set()
    expected |= {412} if "if-match" in _lower(operation.names("header")) else set()
    return expected


def _asks_about_an_id(operation: Operation) -> bool:
    """Tell whether a query names something that there may not be; a filter finds nothing then."""
    parameters = operation.declared.get("parameters", ())
    ids = [one["name"] for one in parameters if one["in"] == "query" and one["schema"].get("format") == "uuid"]
    return any(not name.startswith("filter[") for name in ids)


def _is_open(route: APIRoute) -> bool:
    return public in rules_of(route)


def _lower(names: list[str]) -> set[str]:
    return {name.lower() for name in names}


def _is_bounded(schema: Mapping[str, Any]) -> bool:
    if schema.get("type") == "array":
        return "maxItems" in schema and _is_bounded(schema["items"])
    bounds = {"maxLength", "enum", "const", "format", "pattern"}
    return schema.get("type") != "string" or bool(bounds & schema.keys())


def _descriptions(part: Any) -> Iterator[str]:
    """Yield every description in a document, wherever it stands."""
    for name, inner in part.items() if isinstance(part, dict) else ():
        if name == "description" and isinstance(inner, str):
            yield inner
        yield from _descriptions(inner)
    for inner in part if isinstance(part, list) else ():
        yield from _descriptions(inner)


def _parameter_schemas(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for operation in Operation.of_document(document):
        yield from (one["schema"] for one in operation.declared.get("parameters", ()))
