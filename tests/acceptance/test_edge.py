"""What every answer has in common: problems, request ids, security headers, CORS."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from httpx2 import AsyncClient, Response
from tests.acceptance.conftest import WorldWith
from tests.acceptance.scenery import things
from tests.acceptance.surface import tenant_operations

from tenantry.kernel import new_id
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio

ORIGIN = "https://app.example.com"


@pytest.fixture(scope="module")
async def tenant(world: World) -> TestTenant:
    return await world.tenant(side="edge")


def assert_is_problem(answer: Response, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (body["status"], body["code"], body["type"]) == (status, code, f"/problems/{code}")
    assert body["request_id"] == answer.headers["x-request-id"]
    assert body["title"]
    assert body["detail"]


class TestProblems:
    """Also of what the web framework answers by itself, before any code of ours."""

    @pytest.mark.parametrize(
        ("method", "path", "status", "code"),
        [
            ("GET", "/nothing", 404, "route_not_found"),
            ("GET", "http://test/nothing", 404, "route_not_found"),
            ("GET", "http://test/", 404, "route_not_found"),
            ("GET", "/items/x/y/z", 404, "route_not_found"),
            ("PATCH", "/items", 405, "method_not_allowed"),
            ("POST", "/stats", 405, "method_not_allowed"),
            ("DELETE", "http://test/healthz", 405, "method_not_allowed"),
            ("TRACE", "/items", 405, "method_not_allowed"),
            ("GET", "/items/x", 422, "invalid_id"),
            ("DELETE", "/members/x", 422, "invalid_input"),
        ],
    )
    async def test_of_routing_and_paths(
        self, tenant: TestTenant, method: str, path: str, status: int, code: str
    ) -> None:
        assert_is_problem(await tenant.owner.request(method, path), status, code)

    @pytest.mark.parametrize("path", ["/items", "/members", "/tenants"])
    async def test_of_bodies(self, tenant: TestTenant, path: str) -> None:
        owner, as_json = tenant.owner, {"Content-Type": "application/json"}
        if path == "/tenants":
            owner = tenant.world.client({"Authorization": owner.headers["authorization"]})
        assert (await owner.post(path, content=b"", headers=as_json)).status_code == 422
        for content in (b'{"a":', b"\xff\xfe", b"nope", b"[" * 100_000, b'{"a":' + b"9" * 5_000 + b"}"):
            assert_is_problem(await owner.post(path, content=content, headers=as_json), 422, "malformed_json")
        for content in (b"[]", b"{}", b"null", b'"x"', b"1"):
            assert_is_problem(await owner.post(path, content=content, headers=as_json), 422, "invalid_input")
        for media in ("text/plain", "application/xml", "multipart/form-data"):
            answer = await owner.post(path, content=b'{"a":1}', headers={"Content-Type": media})
            assert_is_problem(answer, 415, "unsupported_media_type")
        huge = b'{"a":"' + b"x" * 2_000_000 + b'"}'
        assert_is_problem(await owner.post(path, content=huge, headers=as_json), 413, "body_too_large")

    async def test_a_wrong_method_is_told_which_ones_there_are(self, tenant: TestTenant) -> None:
        answer = await tenant.owner.patch("/items", json={})
        assert {"GET", "POST"} <= set(answer.headers["allow"].split(", "))

    async def test_no_value_that_was_sent_comes_back(self, tenant: TestTenant) -> None:
        secret = "correct-horse-battery-staple"
        ids = await things(tenant)
        answers = [
            await tenant.owner.post("/items", json={"name": {"x": secret}, "price_cents": secret}),
            await tenant.owner.patch(f"/tasks/{ids['tasks']}", json={"status": secret, "due_on": secret}),
            await tenant.owner.post("/members", json={"email": secret, "role": secret}),
            await tenant.owner.get("/items", params={"filter[price_cents]": secret, "page": secret}),
            await tenant.owner.post("/auth/register", json={"email": "a@b.test", "password": "x", "name": [secret]}),
        ]
        for answer in answers:
            assert answer.status_code in {400, 422}
            assert secret not in answer.text

    async def test_every_failure_of_every_route_is_a_problem(self, tenant: TestTenant) -> None:
        ids = await things(tenant)
        for operation in tenant_operations(tenant.world.app):
            address = operation.path_to({name: new_id() for name in ids}) + "?page=0"
            answer = await tenant.viewer.request(operation.method, address, content=b"{", headers={"If-Match": "x"})
            if answer.status_code >= 400:
                assert_is_problem(answer, answer.status_code, answer.json()["code"])


class TestRequestIds:
    async def test_a_safe_one_is_taken_over_and_found_in_the_trail(self, tenant: TestTenant) -> None:
        given = f"client.{new_id().hex}"
        answer = await tenant.owner.post(
            "/items", json={"name": "x", "price_cents": 1}, headers={"X-Request-Id": given}
        )
        assert answer.headers["x-request-id"] == given
        lines = (await tenant.owner.get("/activity", params={"filter[resource_id]": answer.json()["id"]})).json()
        assert [line["request_id"] for line in lines["items"]] == [given]

    @pytest.mark.parametrize("given", ["", "x" * 129, "a b", "a\tb", '{"x":1}', "ä"])
    async def test_another_one_is_replaced(self, tenant: TestTenant, given: str) -> None:
        answer = await tenant.owner.get("/items", headers={b"x-request-id": given.encode("latin-1")})
        assert answer.status_code == 200
        assert len(answer.headers["x-request-id"]) == 36


SECURITY = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}


async def test_every_answer_has_the_security_headers(tenant: TestTenant) -> None:
    item = await tenant.owner.post("/items", json={"name": "x", "price_cents": 1})
    path = item.headers["location"].removeprefix("/api/v1")
    for answer in (
        item,
        await tenant.owner.get("/items"),
        await tenant.owner.get(path, headers={"If-None-Match": '"1"'}),
        await tenant.owner.delete(path),
        await tenant.owner.get("/nothing"),
        await tenant.owner.patch("/items"),
        await tenant.world.client().get("/items"),
        await tenant.owner.get("/tenant"),
        await tenant.owner.post("/items", content=b" " * 2_000_000),
        await tenant.world.client().get("http://test/healthz"),
    ):
        assert {name: answer.headers.get(name) for name in SECURITY} == SECURITY, answer.request.url
        assert "authorization" in answer.headers["vary"].lower()
        assert "server" not in answer.headers


class TestCors:
    @pytest.fixture(scope="class")
    async def open_world(self, world_with: WorldWith) -> AsyncIterator[World]:
        async with world_with(http={"cors_origins": (ORIGIN,)}) as opened:
            yield opened

    async def test_a_preflight_of_a_known_origin_is_answered_without_a_token(self, open_world: World) -> None:
        answer = await preflight(open_world.client(), ORIGIN)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert "PATCH" in answer.headers["access-control-allow-methods"]
        allowed = answer.headers["access-control-allow-headers"].lower()
        assert {"authorization", "x-tenant-id", "if-match", "idempotency-key"} <= set(allowed.split(", "))

    async def test_another_origin_is_not_let_in(self, open_world: World) -> None:
        answer = await preflight(open_world.client(), "https://evil.example.com")
        assert answer.status_code == 400
        assert "access-control-allow-origin" not in answer.headers

    async def test_pages_may_read_answers_and_failures_with_the_headers_they_need(self, open_world: World) -> None:
        tenant = await open_world.tenant(side="cors")
        huge = b" " * 2_000_000
        for answer in (
            await tenant.owner.get("/items", headers={"Origin": ORIGIN}),
            await tenant.owner.get("/nothing", headers={"Origin": ORIGIN}),
            await tenant.owner.post("/items", content=huge, headers={"Origin": ORIGIN}),
            await open_world.client().get("/items", headers={"Origin": ORIGIN}),
        ):
            assert answer.headers["access-control-allow-origin"] == ORIGIN, answer.status_code
            exposed = answer.headers["access-control-expose-headers"].lower()
            assert {"etag", "location", "x-request-id"} <= set(exposed.split(", "))
            assert {"origin", "authorization"} <= set(answer.headers["vary"].lower().replace(" ", "").split(","))

    async def test_without_a_setting_no_origin_is_let_in(self, world: World) -> None:
        answer = await preflight(world.client(), ORIGIN)
        assert "access-control-allow-origin" not in answer.headers


async def preflight(client: AsyncClient, origin: str) -> Response:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "authorization,x-tenant-id,if-match,idempotency-key",
    }
    return await client.options("/items", headers=asked)


async def test_bodies_of_problems_are_json_that_every_reader_takes(tenant: TestTenant) -> None:
    answer = await tenant.owner.post(
        "/items", content=b'{"na\\ud800me": 1}', headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422
    json.loads(answer.content.decode("ascii"))
