"""IN-03 on the wire: what a client library would never send, through the server of production."""

from __future__ import annotations

import asyncio
import re

import pytest
from tests.fuzz.conftest import Scene

pytestmark = pytest.mark.anyio

REQUESTS = {
    "raw byte in the path": b"GET /api/v1/items/\xff HTTP/1.1\r\n",
    "raw UTF-8 in the path": b"GET /api/v1/items/\xc3\xa9 HTTP/1.1\r\n",
    "NUL in the path": b"GET /api/v1/items/a\x00b HTTP/1.1\r\n",
    "escaped NUL in the path": b"GET /api/v1/items/%00 HTTP/1.1\r\n",
    "escaped %ff in the path": b"GET /api/v1/items/%ff HTTP/1.1\r\n",
    "raw byte in the query": b"GET /api/v1/items?search=\xff HTTP/1.1\r\n",
    "NUL in the query": b"GET /api/v1/items?search=\x00 HTTP/1.1\r\n",
    "address with a host": b"GET http://else.where/api/v1/items HTTP/1.1\r\n",
    "address of a host alone": b"GET http:// HTTP/1.1\r\n",
    "address of a bracket": b"GET http://[/api/v1/items HTTP/1.1\r\n",
    "asterisk": b"OPTIONS * HTTP/1.1\r\n",
    "no address": b"GET  HTTP/1.1\r\n",
    "fragment": b"GET /api/v1/items#a HTTP/1.1\r\n",
    "60,000 characters of path": b"GET /api/v1/" + b"a" * 60_000 + b" HTTP/1.1\r\n",
    "CONNECT": b"CONNECT else.where:443 HTTP/1.1\r\n",
    "unknown method": b"NOTHING /api/v1/items HTTP/1.1\r\n",
    "HTTP/1.0": b"GET /api/v1/items HTTP/1.0\r\n",
    "HTTP/9.9": b"GET /api/v1/items HTTP/9.9\r\n",
    "NUL in a header": b"GET /api/v1/items HTTP/1.1\r\nX-Tenant-Slug: a\x00b\r\n",
    "raw byte in a header": b"GET /api/v1/items HTTP/1.1\r\nX-Reason: \xff\r\nX-Request-Id: \xff\r\nIf-Match: \xff\r\n",
    "folded header": b"GET /api/v1/items HTTP/1.1\r\nX-Reason: a\r\n b\r\n",
    "header without a name": b"GET /api/v1/items HTTP/1.1\r\n: a\r\n",
    "space before the colon": b"GET /api/v1/items HTTP/1.1\r\nX-Reason : a\r\n",
    "1,000 headers": b"GET /api/v1/items HTTP/1.1\r\n" + b"".join(b"X-%d: a\r\n" % n for n in range(1_000)),
    "negative length": b"POST /api/v1/items HTTP/1.1\r\nContent-Length: -1\r\n",
    "length of 5,000 digits": b"POST /api/v1/items HTTP/1.1\r\nContent-Length: " + b"9" * 5_000 + b"\r\n",
    "length of letters": b"POST /api/v1/items HTTP/1.1\r\nContent-Length: 1_0\r\n",
    "two lengths": b"POST /api/v1/items HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n",
    "length and chunks": b"POST /api/v1/items HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n",
    "unknown coding": b"POST /api/v1/items HTTP/1.1\r\nTransfer-Encoding: gzip\r\n",
    "upgrade to nothing": b"GET /api/v1/items HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: nothing\r\n",
    "upgrade to a socket": b"GET /api/v1/items HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n",
    "upgrade to HTTP/2": b"GET /api/v1/items HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n",
    "preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n",
}


@pytest.mark.parametrize("label", REQUESTS)
async def test_no_bytes_are_answered_5xx(scene: Scene, port: int, label: str) -> None:
    caller = b"".join(b"%s: %s\r\n" % header for header in scene.owner.headers)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(REQUESTS[label] + caller + b"Host: test\r\nConnection: close\r\n\r\n")
    writer.write_eof()
    answer = await asyncio.wait_for(reader.read(), timeout=10)
    writer.close()
    status = re.match(rb"HTTP/1\.1 (\d{3}) ", answer)
    assert answer == b"" or (status is not None and status[1] < b"500"), answer[:300]
    assert b"Traceback" not in answer
