"""The access log: one line for each request, put together by hand on the hot path (about 1 µs; structlog: 20-50).

It names the route's template, not the path that was asked for: paths and query strings may carry ids and tokens of
people. Only where no route matched is the path written, escaped and cut.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from json.encoder import encode_basestring_ascii as quoted  # C, 0.1 µs; escapes controls and lone surrogates
from typing import Literal, Protocol

MAX_PATH = 200
"""Characters of an unmatched path that are written."""


class LineSink(Protocol):
    """Takes finished lines; `LineWriter` is the one used in production."""

    def write(self, line: str) -> None:
        """Take one line with its line end, without blocking."""
        ...


class AccessLog:
    """Formats access lines and hands them to a sink.

    >>> class Printed:
    ...     def write(self, line: str) -> None: print(line, end="")
    >>> log = AccessLog(Printed(), "json", now=lambda: 0.25)
    >>> log.write("r-1", None, "u-1", "GET", "/items/{id}", 200, 0.0021, 512)
    {"time":"1970-01-01T00:00:00.250Z","level":"info","event":"request","request_id":"r-1","tenant_id":null,"actor_id":"u-1","method":"GET","path":"/items/{id}","status":200,"duration_ms":2.100,"bytes":512}
    """

    def __init__(
        self,
        sink: LineSink,
        format: Literal["json", "console"] = "json",  # noqa: A002 - the word that the setting uses
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._sink = sink
        self._now = now
        self._second = -1
        self._second_text = ""
        self._line = self._json_line if format == "json" else self._console_line

    def write(
        self,
        request_id: str,
        tenant_id: str | None,
        actor_id: str | None,
        method: str,
        path: str,
        status: int,
        seconds: float,
        size: int,
    ) -> None:
        """Write one line. `path` is the route template, or the path where none matched; `size` is in bytes."""
        if len(path) > MAX_PATH:
            path = path[:MAX_PATH] + "…"
        self._sink.write(self._line(request_id, tenant_id, actor_id, method, path, status, seconds * 1000.0, size))

    def _json_line(
        self,
        request_id: str,
        tenant_id: str | None,
        actor_id: str | None,
        method: str,
        path: str,
        status: int,
        milliseconds: float,
        size: int,
    ) -> str:
        tenant = "null" if tenant_id is None else quoted(tenant_id)
        actor = "null" if actor_id is None else quoted(actor_id)
        return (
            f'{{"time":"{self._time()}","level":"info","event":"request","request_id":{quoted(request_id)},'
            f'"tenant_id":{tenant},"actor_id":{actor},"method":{quoted(method)},"path":{quoted(path)},'
            f'"status":{status},"duration_ms":{milliseconds:.3f},"bytes":{size}}}\n'
        )

    def _console_line(
        self,
        request_id: str,
        tenant_id: str | None,
        actor_id: str | None,
        method: str,
        path: str,
        status: int,
        milliseconds: float,
        size: int,
    ) -> str:
        who = f" tenant={quoted(tenant_id)[1:-1]}" if tenant_id is not None else ""
        who += f" actor={quoted(actor_id)[1:-1]}" if actor_id is not None else ""
        return (
            f"{self._time()} {status} {quoted(method)[1:-1]:<6} {quoted(path)[1:-1]} {milliseconds:.1f} ms {size} B"
            f" request={quoted(request_id)[1:-1]}{who}\n"
        )

    def _time(self) -> str:
        """Return the time in UTC with milliseconds; the text of a second is made once."""
        now = self._now()
        second = int(now)
        if second != self._second:
            self._second = second
            self._second_text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self._second_text}.{int((now - second) * 1000):03d}Z"
