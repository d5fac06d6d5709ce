"""Every place of every operation of the OpenAPI document, with one poison in it; all other places hold what is valid.

A route of tomorrow is in here without being asked for.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from tests.acceptance.surface import PREFIX, QUESTIONS, Operation, collection_of
from tests.fuzz.direct import Headers, Request
from tests.fuzz.poison import BODIES, HEADERS, MARK, TEXTS, TYPES, VALUES
from tests.fuzz.surface import FORM, Caller

from tenantry.testing import Schema

ALWAYS_SENT = ("X-Request-Id", "Authorization", "X-API-Key", "X-Tenant-Id", "X-Tenant-Slug")
"""Headers that are poisoned on every route, declared or not: the edge and the gate read them before any route does."""

SENT_ANYWAY = (
    "If-Match", "If-None-Match", "Idempotency-Key", "Content-Type", "Content-Length", "Transfer-Encoding", "Expect",
    "X-Reason", "X-HTTP-Method-Override", "X-Forwarded-For", "Forwarded", "Origin", "Cookie", "Accept",
    "Accept-Encoding", "User-Agent", "Last-Event-ID", "Range",
)  # fmt: skip
"""Headers that some layer may read; poisoned on a few routes, declared there or not."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One request and where its poison is."""

    operation: str
    place: str
    poison: str
    request: Request

    def __str__(self) -> str:
        return f"{self.operation}: {self.poison} in {self.place}"


@dataclass(frozen=True)
class Gun:
    """Makes the shots at one operation, as one caller, with ids that exist."""

    operation: Operation
    caller: Caller

    def valid(self) -> Shot:
        """Return the request without poison."""
        return self._shot("nothing", "none")

    def shots(self) -> Iterator[Shot]:
        """Return every shot, by place."""
        yield from self._in_path()
        yield from self._in_query()
        yield from self._in_headers()
        if self.operation.media_type:
            yield from self._in_members()
            yield from self._as_body()

    def _in_path(self) -> Iterator[Shot]:
        for name in self.operation.names("path"):
            for label, raw in TEXTS.items():
                yield self._shot(f"{{{name}}}", label, target=self._path(raw))

    def _in_query(self) -> Iterator[Shot]:
        declared = self.operation.names("query")
        unknown = [MARK, f"filter[{MARK}]", f"filter[id][{MARK}]"] if declared else []
        for name in [*declared, *unknown]:
            asked = self._asked(without=name)
            for label, raw in TEXTS.items():
                poisoned = quote(name).encode() + b"=" + raw
                yield self._shot(f"?{name}", label, target=self._path() + b"?" + asked + poisoned)
        for label, raw in TEXTS.items():
            yield self._shot("?", label, target=self._path() + b"?" + self._asked() + raw)

    def _in_headers(self) -> Iterator[Shot]:
        declared = [name.title() for name in self.operation.names("header")]
        names = dict.fromkeys([*declared, *ALWAYS_SENT, *(("Content-Type",) if self.operation.media_type else ())])
        for name in names:
            yield from self.in_header(name)

    def in_header(self, name: str) -> Iterator[Shot]:
        """Return the shots through one header, whether the operation declares it or not."""
        key = name.lower().encode()
        instead = {key, b"authorization"} if key == b"x-api-key" else {key}  # two credentials are refused unread
        for label, raw in HEADERS.items():
            kept = [header for header in self._headers() if header[0].lower() not in instead]
            yield self._shot(name, label, headers=[*kept, (key, raw)])
        yield self._shot(name, "twice", headers=[*self._headers(), (key, b"1"), (key, MARK.encode())])

    def _in_members(self) -> Iterator[Shot]:
        valid = self._body()
        for member in self._members():
            rest = {name: value for name, value in valid.items() if name != member}
            for label, raw in VALUES.items():
                body = self._encoded(rest, member, raw)
                yield self._shot(f"/{member}", label, body=body)
            yield self._shot(f"/{member}", "absent", body=self._encoded(rest))
            yield self._shot(f"/{member}", "twice", body=self._encoded(valid, member, b"1"))

    def _as_body(self) -> Iterator[Shot]:
        for label, raw in BODIES.items():
            yield self._shot("body", label, body=raw)
        for type_label, media in TYPES.items():
            kept = [header for header in self._headers() if header[0] != b"content-type"]
            headers = kept if media is None else [*kept, (b"content-type", media)]
            for label in ("empty", "text", "form", "form of NULs", "part", "cut part", "depth 1,000"):
                yield self._shot(f"body as {type_label}", label, body=BODIES[label], headers=headers)
            yield self._shot(f"body as {type_label}", "nothing", headers=headers)

    def _shot(
        self,
        place: str,
        label: str,
        *,
        target: bytes | None = None,
        headers: Headers | None = None,
        body: bytes | None = None,
    ) -> Shot:
        content = body if body is not None else self._encoded(self._body()) if self.operation.media_type else b""
        sent = self._headers() if headers is None else headers
        request = Request(self.operation.method, target or self._target(), sent, content)
        return Shot(self.operation.id, place, label, request)

    def _target(self) -> bytes:
        """Return the path, with the query without which the operation answers nothing."""
        asked = self._asked()
        return self._path() + b"?" + asked.rstrip(b"&") if asked else self._path()

    def _asked(self, *, without: str | None = None) -> bytes:
        question = QUESTIONS[self.operation.id](self.caller.ids) if self.operation.id in QUESTIONS else {}
        return b"".join(f"{key}={value}&".encode() for key, value in question.items() if key != without)

    def _path(self, last: bytes | None = None) -> bytes:
        """Return the path with ids that exist (deletions: with one that does not), or with a poison in their place."""
        parts = self.operation.path.removeprefix(PREFIX).split("/")
        for at, part in enumerate(parts):
            if part.startswith("{"):
                known = self.caller.ids.get(collection_of(parts, at))
                keeps = known is not None and self.operation.method != "DELETE"
                parts[at] = last.decode("latin-1") if last is not None else str(known if keeps else uuid.uuid4())
        return (PREFIX + "/".join(parts)).encode("latin-1")

    def _headers(self) -> Headers:
        if not self.operation.media_type:
            return self.caller.headers
        return [*self.caller.headers, (b"content-type", self.operation.media_type.encode())]

    def _members(self) -> list[str]:
        return [*self._schema.get("properties", {}), MARK]

    def _body(self) -> dict[str, Any]:
        if not self.operation.media_type:
            return {}
        if (given := self.caller.body(self.operation.id)) is not None:
            return given
        value: dict[str, Any] = self.operation.value(self._schema, "", self.caller.ids)
        return value

    @property
    def _schema(self) -> Schema:
        return self.operation.schema_in(self.operation.media_type) or {}

    def _encoded(self, members: Mapping[str, Any], member: str | None = None, raw: bytes = b"") -> bytes:
        if self.operation.media_type == FORM:
            pairs = urlencode(members).encode()
            text = raw[1:-1] if raw.startswith(b'"') else raw
            return pairs if member is None else pairs + b"&" + member.encode() + b"=" + text
        encoded = [json.dumps(name).encode() + b":" + json.dumps(value).encode() for name, value in members.items()]
        if member is not None:
            encoded.append(json.dumps(member).encode() + b":" + raw)
        return b"{" + b",".join(encoded) + b"}"
