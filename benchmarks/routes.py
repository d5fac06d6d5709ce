"""The measured routes, as each server spells them, and what their answers must hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.load import Call, LoadFailed
from benchmarks.report import GET, GRANTED, LIST, PATCH, POST, Target
from benchmarks.servers import Server, ask

Headers = Callable[[], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Contender:
    """A server that is measured: the path of its items, and the headers that it wants at this moment."""

    name: str
    server: Server
    items: str
    headers: Headers


@dataclass(frozen=True, slots=True)
class Route:
    """One measured route."""

    target: Target
    method: str
    path: str
    status: int
    is_expected: Callable[[Any], bool]
    body: str = ""

    def call(self, contender: Contender) -> Call:
        """Return what is sent to a server."""
        path = self.path.replace("{items}", contender.items)
        return Call(self.method, contender.server.url, path, contender.headers(), self.body)

    def check(self, contender: Contender, item_id: str) -> None:
        """Send one request and look at its answer, since wrk sees statuses only. Raises `LoadFailed`."""
        call = self.call(contender)
        path = call.path.replace("{id}", item_id)
        body = call.body.replace("{n}", "7") or None
        status, answer = ask(contender.server.port, path, method=call.method, headers=call.headers, body=body)
        if status != self.status or not self.is_expected(json.loads(answer)):
            raise LoadFailed(f"{contender.name}: {call.method} {path} answered {status}: {answer[:300]!r}")


_CREATED = '{"name": "A new desk", "description": "Made of oak, with a drawer.", "price_cents": {n}}'

GRANTED_LIST = Route(GRANTED, "GET", "{items}", 200, lambda body: len(body["items"]) == 50)

ROUTES = (
    Route(GET, "GET", "{items}/{id}", 200, lambda body: body["name"].startswith("Desk ")),
    Route(LIST, "GET", "{items}", 200, lambda body: len(body["items"]) == 50),
    Route(POST, "POST", "{items}", 201, lambda body: body["name"] == "A new desk", _CREATED),
    Route(PATCH, "PATCH", "{items}/{id}", 200, lambda body: body["price_cents"] == 7, '{"price_cents": {n}}'),
)
