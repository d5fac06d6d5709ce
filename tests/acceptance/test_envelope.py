"""The other response style: the same application, each body an envelope, and the document says exactly that."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from httpx2 import Response
from tests.acceptance.conftest import WorldWith
from tests.acceptance.controls import prepared
from tests.acceptance.scenery import Scenery
from tests.acceptance.surface import Ids, Operation, operations_of, tenant_operations

from tenantry.http import ResponseStyle
from tenantry.kernel import new_id
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def enveloped(world_with: WorldWith) -> AsyncIterator[World]:
    async with world_with(http={"response_style": ResponseStyle.ENVELOPE}) as opened:
        yield opened


@pytest.fixture(scope="module")
async def scenery(world: World, enveloped: World) -> Scenery:
    """A tenant that was made in the plain style, whose people speak to the application in envelopes."""
    plain = await world.tenant(side="envelope")
    operation = next(one for one in tenant_operations(world.app) if one.id == "tasks_create")
    ids = await prepared(operation, Scenery(plain, {}))
    return Scenery(plain, dict(ids))


def client_of(enveloped: World, tenant: TestTenant) -> Any:
    return enveloped.client(dict(tenant.owner.headers))


def schema_of(operation: Operation, status: int) -> Any:
    content = operation.declared["responses"][str(status)].get("content", {})
    return content.get("application/json", {}).get("schema")


async def test_every_tenant_route_answers_an_envelope_as_the_document_says(scenery: Scenery, enveloped: World) -> None:
    for operation in tenant_operations(enveloped.app):
        ids: Ids = await prepared(operation, scenery)
        answer = await operation.send(client_of(enveloped, scenery.tenant), ids, mark=scenery.canary)
        assert answer.is_success, (operation.id, answer.text)
        assert_is_envelope(answer, operation, enveloped)


def assert_is_envelope(answer: Response, operation: Operation, enveloped: World) -> None:
    body = answer.json()
    assert list(body) == ["success", "title", "content"], operation.id
    assert body["success"] is True
    assert body["title"]
    assert str(answer.status_code) in operation.declared["responses"], (operation.id, answer.status_code)
    assert_fits(body, schema_of(operation, answer.status_code), enveloped.app.openapi(), operation.id)


KINDS = {"string": str, "integer": int, "boolean": bool, "null": type(None), "array": list, "object": dict}


def assert_fits(value: Any, schema: Any, document: Any, place: str) -> None:
    """Fail unless a value has exactly the members of its schema, at every level."""
    schema = chosen(value, schema, document)
    assert isinstance(value, KINDS[schema["type"]]), (place, schema)
    if schema["type"] == "array":
        for inner in value:
            assert_fits(inner, schema["items"], document, f"{place}/*")
    elif "properties" in schema:
        assert set(schema.get("required", ())) <= set(value) <= set(schema["properties"]), (place, sorted(value))
        for name, inner in value.items():
            assert_fits(inner, schema["properties"][name], document, f"{place}/{name}")


def chosen(value: Any, schema: Any, document: Any) -> Any:
    """Return the schema itself for a reference or a choice: of a choice, null for null, else the first that is not."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" not in schema:
        return schema
    options = [chosen(value, option, document) for option in schema["anyOf"]]
    return next(option for option in options if (option["type"] == "null") is (value is None))


async def test_hand_written_routes_without_a_tenant_answer_envelopes_too(scenery: Scenery, enveloped: World) -> None:
    own = enveloped.client({"Authorization": scenery.tenant.owner.headers["authorization"]})
    operations = {one.id: one for one in operations_of(enveloped.app)}
    me = await own.get("/me")
    for name, answer in (
        ("me_read", me),
        ("me_tenants_list", await own.get("/me/tenants")),
        ("me_sessions_list", await own.get("/me/sessions")),
        ("users_read", await own.get(f"/users/{me.json()['content']['id']}")),
        ("tenants_create", await own.post("/tenants", json={"name": "x", "slug": f"e-{new_id().hex[-12:]}"})),
        ("auth_switch_tenant", await own.post("/auth/switch-tenant", json={"slug": scenery.tenant.slug})),
        ("auth_jwks", await enveloped.client().get("/auth/jwks")),
    ):
        assert answer.is_success, (name, answer.text)
        assert_is_envelope(answer, operations[name], enveloped)


async def test_headers_are_the_same_in_both_styles(scenery: Scenery, enveloped: World) -> None:
    client = client_of(enveloped, scenery.tenant)
    made = await client.post("/items", json={"name": "x", "price_cents": 1})
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    path = made.headers["location"].removeprefix("/api/v1")
    assert path == f"/items/{made.json()['content']['id']}"
    assert (await client.get(path, headers={"If-None-Match": '"1"'})).status_code == 304
    assert (await client.patch(path, json={"name": "y"}, headers={"If-Match": '"7"'})).status_code == 412
    gone = await client.delete(path)
    assert (gone.status_code, gone.json()["content"]) == (200, {"id": made.json()["content"]["id"]})
    tenant = await client.get("/tenant")
    assert tenant.headers["etag"]


async def test_failures_are_envelopes_with_the_problem_inside(scenery: Scenery, enveloped: World) -> None:
    client = client_of(enveloped, scenery.tenant)
    for status, code, answer in (
        (404, "not_found", await client.get(f"/items/{new_id()}")),
        (422, "invalid_input", await client.post("/items", json={})),
        (400, "unknown_sort", await client.get("/items?sort=nothing")),
        (401, "not_signed_in", await enveloped.client().get("/items")),
        (404, "route_not_found", await client.get("/nothing")),
        (405, "method_not_allowed", await client.patch("/items")),
        (422, "invalid_input", await client.post("/members", json={})),
        (413, "body_too_large", await client.post("/items", content=b" " * 2_000_000)),
        (415, "unsupported_media_type", await client.post("/members", content=b"x")),
    ):
        body = answer.json()
        assert answer.status_code == status, answer.text
        assert list(body) == ["success", "title", "error"]
        assert body["success"] is False
        assert (body["error"]["status"], body["error"]["code"]) == (status, code)
        assert body["error"]["request_id"] == answer.headers["x-request-id"]


async def test_the_repeated_answer_of_an_idempotency_key_is_an_envelope_too(scenery: Scenery, enveloped: World) -> None:
    client, key = client_of(enveloped, scenery.tenant), {"Idempotency-Key": new_id().hex}
    first, again = [await client.post("/items", json={"name": "x", "price_cents": 1}, headers=key) for _ in range(2)]
    assert first.content == again.content
    assert first.json()["success"] is True


async def test_the_document_of_the_plain_style_is_exact_as_well(scenery: Scenery, world: World) -> None:
    for operation in tenant_operations(world.app):
        ids = await prepared(operation, scenery)
        answer = await operation.send(scenery.tenant.owner, ids, mark=scenery.canary)
        declared = schema_of(operation, answer.status_code)
        assert str(answer.status_code) in operation.declared["responses"], operation.id
        if answer.content:
            assert_fits(answer.json(), declared, world.app.openapi(), operation.id)
        else:
            assert (declared, answer.status_code) == (None, 204), operation.id


async def test_no_route_is_described_by_words_about_its_own_machinery(world: World) -> None:
    for operation in operations_of(world.app):
        told = f"{operation.declared.get('summary', '')} {operation.declared.get('description', '')}"
        assert operation.declared.get("summary"), operation.id
        assert "never called" not in told, operation.id
