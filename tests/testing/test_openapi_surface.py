"""What an operation takes, as its part of the document says."""

from __future__ import annotations

from typing import Any

from tenantry.testing import ApiOperation, IdReference, PathSlot

ID = {"type": "string", "format": "uuid"}


def operation(method: str, path: str, *, query: dict[str, Any] | None = None, **members: Any) -> ApiOperation:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Body"}}}
    declared = {
        "parameters": [{"name": name, "in": "query", "schema": schema} for name, schema in (query or {}).items()],
        "requestBody": {"content": content},
    }
    schemas = {"Body": {"type": "object", "properties": members}}
    return ApiOperation({"paths": {path: {method.lower(): declared}}, "components": {"schemas": schemas}}, method, path)


def test_every_place_of_a_path_names_its_collection() -> None:
    deleting = operation("DELETE", "/api/v1/teams/{team_id}/members/{user_id}")
    assert deleting.slots == (PathSlot("team_id", "/teams"), PathSlot("user_id", "/teams/{}/members"))
    assert deleting.address(["1", "2"]) == "/api/v1/teams/1/members/2"


def test_ids_in_a_body_are_found_alone_in_lists_and_beside_null() -> None:
    moving = operation(
        "POST", "/api/v1/moves", ids={"type": "array", "items": ID}, to_id={"anyOf": [ID, {"type": "null"}]}, note={}
    )
    assert moving.references == (IdReference("ids", "id", is_list=True), IdReference("to_id", "to_id"))


def test_filters_by_id_are_found_and_their_negations_are_not() -> None:
    every = {"filter[a_id]": ID, "filter[a_id][in]": {"type": "array", "items": ID}, "filter[a_id][ne]": ID, "b_id": ID}
    found = operation("GET", "/api/v1/things", query=every).id_parameters
    assert [(one.name, one.field) for one in found] == [
        ("filter[a_id]", "a_id"),
        ("filter[a_id][in]", "a_id"),
        ("b_id", "b_id"),
    ]
