import json

import httpx2
import pytest
import structlog

from tenantry.http import ResponseStyle

pytestmark = pytest.mark.anyio


async def problem(world, method, path, status, **options):
    answer = await world.request(method, path, **options)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body["status"] == status
    assert body["type"] == f"/problems/{body['code']}"
    assert body["request_id"] == answer.headers["x-request-id"]
    return body, answer


async def test_a_declared_error_is_a_problem_with_its_code_and_detail(world):
    body, _ = await problem(world(), "GET", "/fail/taken", 409)
    assert (body["code"], body["title"], body["detail"]) == (
        "key_taken",
        "A thing with this key exists.",
        "The key OPS is used.",
    )
    assert "errors" not in body


async def test_envelope_style_holds_the_same_members_under_error(world):
    answer = await world(response_style=ResponseStyle.ENVELOPE).request("GET", "/fail/taken")
    body = answer.json()
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/json"
    assert (body["success"], body["title"]) == (False, "A thing with this key exists.")
    assert body["error"]["code"] == "key_taken"
    assert body["error"]["request_id"] == answer.headers["x-request-id"]


async def test_unavailable_says_when_to_come_back_in_whole_seconds(world):
    _, answer = await problem(world(), "GET", "/fail/busy", 503)
    assert answer.headers["retry-after"] == "2"


@pytest.mark.parametrize(("how", "code"), [("timeout", "timed_out"), ("refused", "dependency_unavailable")])
async def test_an_outage_below_us_is_unavailable_and_not_an_error_of_ours(world, how, code):
    body, answer = await problem(world(), "GET", f"/fail/{how}", 503)
    assert body["code"] == code
    assert answer.headers["retry-after"] == "1"
    assert "10.0.0.1" not in answer.text


@pytest.mark.parametrize(("path", "code"), [("/fail/crash", "internal_error"), ("/fail/broken", "broken")])
async def test_our_own_mistake_has_no_detail_and_one_log_entry(world, path, code):
    with structlog.testing.capture_logs() as logs:
        body, answer = await problem(world(), "GET", path, 500)
    assert body["code"] == code
    assert "secret" not in answer.text
    [entry] = logs
    assert entry["event"] == code
    assert isinstance(entry["exc_info"], Exception)


async def test_an_answer_that_does_not_fit_its_schema_is_logged_without_its_values(world):
    with structlog.testing.capture_logs() as logs:
        await problem(world(), "GET", "/wrong-answer", 500)
    [entry] = logs
    assert "secret value" not in repr(entry)
    assert entry["wrong"] == [{"loc": ("response",), "type": "int_parsing"}]


async def test_a_group_of_one_counts_as_what_it_holds(world):
    body, _ = await problem(world(), "GET", "/fail/group", 409)
    assert body["code"] == "key_taken"


async def test_401_asks_for_a_bearer_token(world):
    body, answer = await problem(world(), "GET", "/fail/unauthorized", 401)
    assert body["code"] == "unauthenticated"
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_an_authors_http_exception_keeps_its_status_and_words(world):
    body, _ = await problem(world(), "GET", "/fail/teapot", 418)
    assert (body["code"], body["detail"]) == ("http_418", "short and stout")
    body, answer = await problem(world(), "GET", "/fail/odd", 400)
    assert body["code"] == "bad_request"
    assert "structure" not in answer.text


async def test_an_unknown_address_differs_from_a_missing_thing(world):
    body, _ = await problem(world(), "GET", "/nowhere", 404)
    assert body["code"] == "route_not_found"
    body, _ = await problem(world(), "GET", "/fail/missing", 404)
    assert body["code"] == "not_found"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "TRACE"])
async def test_405_names_the_methods_of_all_routes_with_this_path(world, method):
    answer = await world().request(method, "/api/v1/things/1")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "DELETE, GET, HEAD, POST"


async def test_head_is_get_without_a_body(world):
    got, head = [await world().request(method, "/api/v1/things/1") for method in ("GET", "HEAD")]
    assert (head.status_code, head.content) == (got.status_code, b"")
    told = ("content-type", "content-length", "cache-control", "vary")
    assert [head.headers.get(name) for name in told] == [got.headers.get(name) for name in told]


async def test_head_of_nothing_is_refused_as_get_is(world):
    answer = await world().request("HEAD", "/nowhere")
    assert (answer.status_code, answer.content) == (404, b"")


@pytest.mark.parametrize(("encoding", "status"), [("gzip", 415), ("GZIP", 415), ("br, gzip", 415), ("identity", 201)])
async def test_a_body_that_is_compressed_is_refused(world, encoding, status):
    headers = {"Content-Encoding": encoding}
    answer = await world().request("POST", "/api/v1/things/1", json={}, headers=headers)
    assert (answer.status_code == 415) is (status == 415)


class TestWhatFastApiRefuses:
    async def test_a_query_parameter_is_400_with_its_name(self, world):
        body, _ = await problem(world(), "GET", "/api/v1/things/1?limit=SENTINEL", 400)
        assert body["code"] == "invalid_query"
        assert body["errors"] == [
            {
                "pointer": "?limit",
                "message": "Input should be a valid integer, unable to parse string as an integer",
                "code": "int_parsing",
            }
        ]

    async def test_a_path_parameter_is_422_with_the_name_in_the_template(self, world):
        body, _ = await problem(world(), "GET", "/api/v1/things/SENTINEL", 422)
        assert (body["code"], body["errors"][0]["pointer"]) == ("invalid_input", "{thing_id}")

    async def test_a_header_is_400_with_its_name(self, world):
        body, _ = await problem(world(), "GET", "/api/v1/things/1", 400, headers={"x-count": "SENTINEL"})
        assert (body["code"], body["errors"][0]["pointer"]) == ("invalid_header", "header:x-count")

    async def test_a_body_is_422_with_a_json_pointer(self, world):
        body, _ = await problem(world(), "POST", "/framework", 422, json={"tags": ["ok", ""], "a/b~c": 1})
        assert {(e["pointer"], e["code"]) for e in body["errors"]} == {
            ("/tags/1", "string_too_short"),
            ("/a~1b~0c", "extra_forbidden"),
        }

    async def test_broken_json_is_422_malformed(self, world):
        headers = {"content-type": "application/json"}
        body, _ = await problem(world(), "POST", "/framework", 422, content=b"{SENTINEL", headers=headers)
        assert body["code"] == "malformed_json"

    async def test_a_body_that_is_not_json_is_415(self, world):
        body, _ = await problem(
            world(), "POST", "/framework", 415, content=b"name=SENTINEL", headers={"content-type": "text/plain"}
        )
        assert body["code"] == "unsupported_media_type"

    async def test_a_million_problems_make_a_short_answer(self, world):
        body, answer = await problem(world(), "POST", "/loose", 422, json={str(n): "x" for n in range(2000)})
        assert len(body["errors"]) == 50
        assert len(answer.content) < 20_000


async def test_without_the_edge_the_handlers_still_answer_in_problems(world):
    made = world()
    made.app.user_middleware.clear()
    transport = httpx2.ASGITransport(app=made.app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.get("/fail/crash")
    assert answer.status_code == 500
    assert json.loads(answer.text)["code"] == "internal_error"
