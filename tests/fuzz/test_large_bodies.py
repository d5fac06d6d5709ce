"""IN-03, IN-04: what is too large or too deep is refused at once, without being kept, parsed or waited for."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator

import pytest
from tests.acceptance.surface import Operation
from tests.fuzz.conftest import Scene
from tests.fuzz.direct import Headers, Request, ask
from tests.fuzz.memory import MIB, memory

from tenantry.kernel import new_id

pytestmark = pytest.mark.anyio

CHUNK = b" " * 65_536
HUGE = 100 * MIB
LIMIT = MIB
"""`TENANTRY_HTTP_MAX_BODY_BYTES`, unless set."""


def huge() -> Iterator[bytes]:
    """Yield 100 MiB, one chunk at a time: whoever keeps them grows by that much."""
    for _ in range(HUGE // len(CHUNK)):
        yield CHUNK


async def test_an_announced_body_of_100_mib_is_refused_unread_by_every_operation(scene: Scene) -> None:
    before = memory()
    for operation in Operation.of_document(scene.world.app.openapi()):
        headers = [*scene.owner.headers, (b"content-length", str(HUGE).encode())]
        began = time.process_time()
        answer = await ask(scene.world.app, Request(operation.method, operation.path.encode(), headers, chunks=huge()))
        assert (answer.status, answer.json()["code"], answer.taken) == (413, "body_too_large", 0), operation.id
        assert time.process_time() - began < 2
    assert memory() - before < 20 * MIB


async def test_a_streamed_body_of_100_mib_is_refused_where_the_limit_is(scene: Scene) -> None:
    for operation in Operation.of_document(scene.world.app.openapi()):
        if operation.media_type is None:
            continue
        caller = scene.caller(operation)
        path = re.sub(r"\{\w+\}", str(new_id()), operation.path)
        headers = [*caller.headers, (b"content-type", operation.media_type.encode())]
        began = time.process_time()
        answer = await ask(scene.world.app, Request(operation.method, path.encode(), headers, chunks=huge()))
        assert (answer.status, answer.json()["code"]) == (413, "body_too_large"), operation.id
        assert answer.taken <= LIMIT + len(CHUNK)
        assert time.process_time() - began < 2


async def test_a_body_that_lies_about_its_length_is_refused_too(scene: Scene) -> None:
    headers = [*json_of(scene), (b"content-length", b"10")]
    answer = await ask(scene.world.app, Request("POST", b"/api/v1/items", headers, chunks=huge()))
    assert answer.status == 413
    assert answer.taken <= LIMIT + len(CHUNK)


@pytest.mark.parametrize("address", [b"/api/v1/items", b"/api/v1/tenants", b"/api/v1/auth/login"])
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"a":' * 1_000 + b"1" + b"}" * 1_000, id="depth 1,000"),
        pytest.param(b"[" * 100_000 + b"]" * 100_000, id="depth 100,000"),
        pytest.param(b'{"name":' + b"[" * 500_000, id="depth 500,000, open"),
        pytest.param(b"[" + b"0," * 500_000 + b"0]", id="500,000 elements"),
        pytest.param(b'{"name":[' + b"0," * 500_000 + b"0]}", id="500,000 wrong elements"),
        pytest.param(b"{" + b",".join(b'"k%d":0' % n for n in range(90_000)) + b"}", id="90,000 members"),
        pytest.param(b"{" + b",".join([b'"name":1'] * 100_000) + b"}", id="100,000 times the same member"),
        pytest.param(b'{"name":' + b"9" * 1_000_000 + b"}", id="a million digits"),
        pytest.param(b'{"name":"' + rb"\u0000" * 170_000 + b'"}', id="170,000 NULs"),
        pytest.param(b'{"name":"' + rb"\ud800" * 170_000 + b'"}', id="170,000 surrogates"),
        pytest.param(('{"name":"a' + "\u0301" * 500_000 + '"}').encode(), id="half a million accents"),
    ],
)
async def test_a_body_that_is_costly_to_read_is_refused_cheaply(scene: Scene, address: bytes, body: bytes) -> None:
    before, seconds = memory(), []
    for _ in range(3):  # the fastest counts: a collection of the suite's own garbage takes as long
        began = time.process_time()
        answer = await ask(scene.world.app, Request("POST", address, json_of(scene), body))
        seconds.append(time.process_time() - began)
        assert answer.status == 422, answer.body[:200]
        assert len(answer.body) < 30_000
    assert min(seconds) < 0.4  # a runaway takes seconds, and the slowest of these 0.1 on a slow machine
    assert memory() - before < 20 * MIB


async def test_a_cookie_jar_of_a_megabyte_costs_nothing(scene: Scene) -> None:
    headers = [*json_of(scene), *((b"x-h%d" % n, b"x" * 1_000) for n in range(1_000))]
    answer = await ask(scene.world.app, Request("GET", b"/api/v1/items", headers))
    assert answer.status == 200


@pytest.mark.parametrize("framing", [b"Content-Length: %d" % HUGE, b"Transfer-Encoding: chunked"])
async def test_over_a_socket_the_refusal_comes_while_the_client_still_sends(
    scene: Scene, port: int, framing: bytes
) -> None:
    head = b"\r\n".join(b"%s: %s" % header for header in json_of(scene))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /api/v1/items HTTP/1.1\r\nHost: test\r\n" + head + b"\r\n" + framing + b"\r\n\r\n")
    before, sent, answering = memory(), 0, asyncio.create_task(reader.read(65_536))
    chunk = CHUNK if b"Length" in framing else b"%x\r\n%s\r\n" % (len(CHUNK), CHUNK)
    began = time.monotonic()
    while not answering.done() and sent < HUGE:
        writer.write(chunk)
        await asyncio.wait([asyncio.ensure_future(writer.drain()), answering], return_when=asyncio.FIRST_COMPLETED)
        sent += len(CHUNK)
    status = (await answering).split(b" ")[1]
    writer.transport.abort()
    assert status == b"413"
    assert time.monotonic() - began < 2
    assert sent < 20 * MIB
    assert memory() - before < 20 * MIB


def json_of(scene: Scene) -> Headers:
    return [*scene.owner.headers, (b"content-type", b"application/json")]
