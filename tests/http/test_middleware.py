import asyncio
import re
import uuid

import pytest

from tenantry.http import HttpSettings, RequestEdge, ResponseStyle
from tenantry.kernel import Environment, Kind, TenantryError, context
from tenantry.observability import AccessLog, Metrics

pytestmark = pytest.mark.anyio

UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class NotToday(TenantryError):
    """Not today."""

    kind = Kind.FORBIDDEN


class Refusing:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http" and scope["path"] == "/refused":
            raise NotToday
        await self.app(scope, receive, send)


class TestRequestId:
    async def test_a_safe_one_is_echoed(self, world):
        answer = await world().request("GET", "/api/v1/things/1", headers={"x-request-id": "Ab.1_-"})
        assert answer.headers.get_list("x-request-id") == ["Ab.1_-"]

    @pytest.mark.parametrize("given", ["", "a" * 129, "a b", 'a"b', "a/b", "é"])
    async def test_an_unsafe_one_is_replaced(self, world, given):
        answer = await world().request("GET", "/api/v1/things/1", headers={"x-request-id": given.encode()})
        assert UUID7.fullmatch(answer.headers["x-request-id"])

    async def test_one_is_made_for_every_request(self, world):
        made = world()
        ids = {(await made.request("GET", "/nowhere")).headers["x-request-id"] for _ in range(20)}
        assert len(ids) == 20

    @pytest.mark.parametrize("path", ["/nowhere", "/fail/crash", "/fail/taken", "/own-headers"])
    async def test_every_answer_has_exactly_one(self, world, path):
        answer = await world().request("GET", path, headers={"x-request-id": "outer"})
        assert answer.headers.get_list("x-request-id") == ["outer"]

    async def test_the_application_can_read_it(self):
        seen = {}

        async def app(scope, receive, send):
            seen["state"], seen["context"] = scope["state"]["request_id"], context.request_id.get()
            await send({"type": "http.response.start", "status": 200})
            await send({"type": "http.response.body"})

        await call(edge(app), headers=[(b"x-request-id", b"r-9")])
        assert seen == {"state": "r-9", "context": "r-9"}


class TestContext:
    async def test_the_log_line_names_tenant_and_actor(self, world):
        made = world()
        await made.request("GET", "/api/v1/things/1", headers={"x-request-id": "r-1"})
        [line] = made.lines()
        assert (line["request_id"], line["tenant_id"], line["actor_id"]) == ("r-1", "t-1", "u-1")
        assert (line["method"], line["path"], line["status"]) == ("GET", "/api/v1/things/{thing_id}", 200)
        assert line["bytes"] == len(b'{"id":1,"limit":1,"x":1}')

    async def test_nothing_of_a_request_is_left_for_the_next(self, world):
        made = world()
        await made.request("GET", "/api/v1/things/1")
        await made.request("GET", "/nowhere")
        assert made.lines()[1]["tenant_id"] is None
        assert (context.request_id.get(), context.tenant_id.get(), context.actor_id.get()) == (None, None, None)

    async def test_what_surrounds_a_request_does_not_leak_into_it(self, world):
        token = context.tenant_id.set("surrounding")
        made = world()
        await made.request("GET", "/nowhere")
        assert made.lines()[0]["tenant_id"] is None
        assert context.tenant_id.get() == "surrounding"
        context.tenant_id.reset(token)

    async def test_500_concurrent_requests_keep_their_ids_apart(self):
        async def app(scope, receive, send):
            tenant = scope["path"]
            context.tenant_id.set(tenant)
            await asyncio.sleep(0)
            assert context.tenant_id.get() == tenant
            await send({"type": "http.response.start", "status": 200})
            await send({"type": "http.response.body"})

        seen = []

        class Sink:
            def write(self, line):
                seen.append(line)

        outer = edge(app, AccessLog(Sink()))
        await asyncio.gather(*(call(outer, path=f"/{n}") for n in range(500)))
        assert len(seen) == 500
        assert all(
            f'"tenant_id":"/{n}","actor_id":null,"method":"GET","path":"/{n}"' in "".join(seen) for n in range(9)
        )


class TestHeaders:
    async def test_every_answer_carries_the_security_headers(self, world):
        for path in ("/api/v1/things/1", "/nowhere", "/fail/crash", "/fail/taken"):
            headers = (await world().request("GET", path)).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["x-frame-options"] == "DENY"
            assert headers["referrer-policy"] == "no-referrer"
            assert headers.get_list("cache-control") == ["no-store"]
            assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
            assert headers["strict-transport-security"] == "max-age=31536000"
            assert "Authorization" in headers["vary"]

    async def test_https_is_insisted_on_in_production_only(self, world):
        answer = await world(environment=Environment.DEVELOPMENT).request("GET", "/nowhere")
        assert "strict-transport-security" not in answer.headers

    async def test_a_routes_own_caching_stands_and_vary_is_added(self, world):
        headers = (await world().request("GET", "/own-headers")).headers
        assert headers.get_list("cache-control") == ["private, max-age=5"]
        assert headers.get_list("vary") == ["Accept", "Authorization"]

    async def test_the_documentation_may_load_its_scripts(self, world):
        answer = await world().request("GET", "/docs")
        assert answer.status_code == 200
        assert "content-security-policy" not in answer.headers
        assert answer.headers["x-content-type-options"] == "nosniff"


class TestLastResort:
    async def test_an_error_raised_in_a_middleware_is_a_problem(self, world):
        answer = await world(middleware=[Refusing]).request("GET", "/refused")
        assert (answer.status_code, answer.json()["code"]) == (403, "not_today")

    async def test_a_crash_is_answered_with_cors_headers_so_that_pages_can_read_it(self, world):
        made = world(cors_origins="https://app.example.com")
        answer = await made.request("GET", "/fail/crash", headers={"origin": "https://app.example.com"})
        assert answer.status_code == 500
        assert answer.headers["access-control-allow-origin"] == "https://app.example.com"
        assert "X-Request-Id" in answer.headers["access-control-expose-headers"]

    async def test_an_application_that_says_nothing_is_a_500(self):
        async def app(scope, receive, send): ...

        sent = await call(edge(app))
        assert sent[0]["status"] == 500

    async def test_an_answer_that_broke_off_is_not_taken_for_whole(self):
        async def app(scope, receive, send):
            await send({"type": "http.response.start", "status": 200})
            raise RuntimeError("in the middle")

        sink = []

        class Sink:
            def write(self, line):
                sink.append(line)

        with pytest.raises(RuntimeError, match="in the middle"):
            await call(edge(app, AccessLog(Sink())))
        assert len(sink) == 1
        assert context.request_id.get() is None

    async def test_a_client_that_left_is_logged_as_499_and_is_nobodys_mistake(self, world):
        made = world()
        with pytest.raises(AssertionError):  # the transport notices that there was no answer
            await made.request("GET", "/fail/gone")
        assert made.lines()[0]["status"] == 499

    async def test_a_cancelled_request_leaves_a_line_and_no_context(self):
        async def app(scope, receive, send):
            await asyncio.sleep(60)

        sink = []

        class Sink:
            def write(self, line):
                sink.append(line)

        metrics = Metrics()
        task = asyncio.create_task(call(edge(app, AccessLog(Sink()), metrics)))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert '"status":499' in sink[0]
        assert b"tenantry_http_requests_in_flight 0.0" in metrics.render()


class TestBodyLimit:
    async def test_an_announced_length_is_refused_before_anything_else(self, world):
        for path in ("/ours", "/framework", "/unread", "/nowhere"):
            answer = await world(max_body_bytes=100).request("POST", path, content=b"x" * 101)
            assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
            assert answer.headers["x-request-id"]

    @pytest.mark.parametrize("path", ["/ours", "/framework"])
    async def test_a_length_that_is_not_announced_is_counted(self, world, path):
        async def stream():
            for _ in range(20):
                yield b'{"text":"'

        answer = await world(max_body_bytes=100).request(
            "POST", path, content=stream(), headers={"content-type": "application/json"}
        )
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")

    async def test_the_limit_itself_is_accepted(self, world):
        body = b'{"text":"' + b"x" * 89 + b'"}'
        answer = await world(max_body_bytes=100).request(
            "POST", "/ours", content=body, headers={"content-type": "application/json"}
        )
        assert (len(body), answer.status_code) == (100, 200)


class TestMetrics:
    async def test_the_label_is_the_template_with_the_prefixes_of_its_routers(self, world):
        made = world()
        await made.request("GET", "/api/v1/things/1")
        await made.request("GET", "/api/v1/things/2")
        await made.request("PUT", "/api/v1/things/2")
        assert made.series() == {
            ("GET", "/api/v1/things/{thing_id}", "200"): 2,
            ("PUT", "/api/v1/things/{thing_id}", "405"): 1,
        }

    async def test_unknown_paths_share_one_label(self, world):
        made = world()
        for n in range(5):
            await made.request("GET", f"/{uuid.uuid4()}/{n}")
        assert made.series() == {("GET", "unmatched", "404"): 5}

    async def test_the_answer_ends_before_its_background_work(self):
        async def app(scope, receive, send):
            await send({"type": "http.response.start", "status": 200})
            await send({"type": "http.response.body", "body": b"x"})
            await asyncio.sleep(0.2)

        lines = []

        class Sink:
            def write(self, line):
                lines.append(line)

        await call(edge(app, AccessLog(Sink())))
        assert float(re.search(r'"duration_ms":([\d.]+)', lines[0])[1]) < 150


async def test_a_path_with_line_breaks_cannot_forge_a_log_line(world):
    made = world()
    await made.request("GET", "/x%0d%0a%7b%22event%22:%22forged%22%7d%00%ff")
    [line] = made.lines()
    assert line["event"] == "request"
    assert line["path"].startswith("/x\r\n")


async def test_the_query_string_is_never_logged(world):
    made = world()
    await made.request("GET", "/nowhere?token=SENTINEL")
    assert "SENTINEL" not in made.log.getvalue()


async def test_a_socket_has_an_id_and_a_clean_context():
    seen = []

    async def app(scope, receive, send):
        seen.append((context.request_id.get(), scope["state"]["request_id"]))

    await edge(app)({"type": "websocket", "path": "/ws", "headers": [(b"x-request-id", b"w-1")]}, None, None)
    assert seen == [("w-1", "w-1")]
    assert context.request_id.get() is None


async def test_preflights_pass_through_the_edge(world):
    made = world(cors_origins="https://app.example.com", response_style=ResponseStyle.ENVELOPE)
    headers = {"origin": "https://app.example.com", "access-control-request-method": "PATCH"}
    answer = await made.request(
        "OPTIONS", "/framework", headers=headers | {"access-control-request-headers": "if-match"}
    )
    assert answer.status_code == 200
    assert answer.headers["x-request-id"]
    answer = await made.request("OPTIONS", "/framework", headers=headers | {"origin": "https://evil.example"})
    assert "access-control-allow-origin" not in answer.headers


def edge(app, access_log=None, metrics=None):
    return RequestEdge(app, HttpSettings(), environment=Environment.PRODUCTION, access_log=access_log, metrics=metrics)


async def call(app, path="/x", headers=()):
    sent = []

    async def receive():
        return {"type": "http.request", "body": b""}

    async def send(message):
        sent.append(message)

    await app({"type": "http", "method": "GET", "path": path, "headers": list(headers)}, receive, send)
    return sent


class TestTimeLimit:
    async def test_a_body_that_never_ends_is_answered_503_and_the_request_is_given_up(self):
        gone = asyncio.Event()

        async def app(scope, receive, send):
            try:
                while True:
                    await receive()
            finally:
                gone.set()

        async def drip():
            await asyncio.sleep(0.01)
            return {"type": "http.request", "body": b" ", "more_body": True}

        sent = []

        async def send(message):
            sent.append(message)

        limited = RequestEdge(app, HttpSettings(request_timeout=0.1), environment=Environment.PRODUCTION)
        scope = {"type": "http", "method": "POST", "path": "/slow", "headers": [], "query_string": b""}
        await asyncio.wait_for(limited(scope, drip, send), 2)
        assert sent[0]["status"] == 503
        assert gone.is_set()
