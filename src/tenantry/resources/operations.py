"""The operations of a resource over HTTP: from a request to a call of the service, and from its result to an answer.

Each is a plain coroutine, in the order in which everything is checked: who acts (401), in which tenant (400, 403),
input (400 query, 422 path and body); then the unit of work opens, where the record (404), the permission (403), the
version (412) and the constraints (409) are decided, and closes, before the answer is sent.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from pydantic import BaseModel
from starlette.types import Receive, Scope

from tenantry.access import AccessContext, AccessGate, Principal, require_anywhere
from tenantry.database import Planning, UnitOfWork
from tenantry.http import (
    InvalidQuery,
    ResponseStyle,
    deleted_status,
    expected_versions,
    is_known,
    read_json,
    require_json,
    wrap,
)
from tenantry.kernel import ConfigurationError, ExpectedVersion
from tenantry.query import CursorSigner, ListSpec, PageSizes, page_body, parse_list, read_pairs
from tenantry.resources.answer import Answer
from tenantry.resources.definition import ResourceDefinition
from tenantry.resources.errors import ConfirmationMissing, InvalidId
from tenantry.resources.idempotency import Idempotency
from tenantry.resources.planning import planning_of
from tenantry.resources.repository import Rendered
from tenantry.resources.service import ResourceService
from tenantry.runtime import Runtime

Model = TypeVar("Model", bound=BaseModel)


class Operation(StrEnum):
    """What can be switched on for a resource."""

    CREATE = "create"
    READ = "read"
    LIST = "list"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    RESTORE = "restore"
    CLEAR = "clear"


STANDARD = frozenset({Operation.CREATE, Operation.READ, Operation.LIST, Operation.UPDATE, Operation.DELETE})
"""The operations of a resource that says nothing else; `CLEAR` must always be asked for."""


@dataclass(frozen=True, slots=True)
class ResourceEdge:
    """What every generated route needs of the process."""

    gate: AccessGate
    runtime: Runtime
    cursors: CursorSigner
    page_sizes: PageSizes

    @classmethod
    def of(cls, scope: Scope) -> ResourceEdge:
        """Return the edge of the application that serves a request."""
        edge: ResourceEdge = scope["app"].state.assembly.resources
        return edge


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request to a resource, with who makes it."""

    scope: Scope
    receive: Receive
    edge: ResourceEdge
    principal: Principal

    @classmethod
    async def begin(cls, scope: Scope, receive: Receive) -> Exchange:
        """Find out who acts; nothing else is looked at before."""
        edge = ResourceEdge.of(scope)
        return cls(scope, receive, edge, await edge.gate.principal(scope))

    @property
    def context(self) -> AccessContext:
        """Who acts, as hand-written code knows it."""
        return AccessContext(self.principal, self.edge.runtime, self.scope["state"]["request_id"])

    def id_in_path(self, name: str = "id") -> UUID:
        """Return an id of the path. Raises `InvalidId` (422)."""
        text = self.scope["path_params"][name]
        try:
            if len(text) == _UUID_LENGTH:
                return UUID(text)
        except ValueError:
            pass
        raise InvalidId.at(f"path:{name}", "A UUID is required.")

    def header(self, name: bytes) -> str | None:
        """Return the first header of this name."""
        for key, value in self.scope["headers"]:
            if key == name:
                text: str = value.decode("latin-1")
                return text
        return None

    async def body(self) -> bytes:
        """Return the whole body; its size is limited by the middleware. Raises `UnsupportedMediaType` (415)."""
        require_json(self.header(b"content-type"))
        message = await self.receive()
        if not message.get("more_body", False):
            whole: bytes = message.get("body", b"")
            return whole
        parts = [message.get("body", b"")]
        while message.get("more_body", False):
            message = await self.receive()
            parts.append(message.get("body", b""))
        return b"".join(parts)


_UUID_LENGTH = 36

Serve = Callable[[Exchange], Awaitable[Answer]]


@dataclass(frozen=True, eq=False)
class Operations:
    """The operations of one resource, in one response style."""

    service: type[ResourceService]
    spec: ListSpec
    style: ResponseStyle
    path: str
    """Where one record is found, without the id; the base of `Location`."""
    create_schema: type[BaseModel] | None = None
    update_schema: type[BaseModel] | None = None
    parent_in_path: str | None = None
    """The path parameter with the parent's id, for the nested routes."""
    id_in_path: str = "id"
    """The path parameter with the record's id."""
    located: bool = True
    """Whether a new record can be read where `Location` says."""

    @property
    def resource(self) -> ResourceDefinition:
        """The definition of the resource."""
        return self.service.resource

    async def create(self, exchange: Exchange) -> Answer:
        """POST to the collection: 201, or the stored answer for a repeated `Idempotency-Key`.

        Whoever may not create it any more is refused the stored answer as well.
        """
        self._admit(exchange, "create")
        parent_id = self._parent(exchange)
        raw = await exchange.body()
        payload = read_json(raw, _declared(self.create_schema))
        key = exchange.header(b"idempotency-key")
        sent = Idempotency.of(exchange.principal, key, exchange.scope, raw)
        await self.service.prepare(exchange.context, payload)
        async with self._work(exchange) as uow:
            service = self._service(exchange, uow)

            async def work() -> Answer:
                record = await service.create(payload, parent_id=parent_id)
                location = f"{self.path}/{record.id}" if self.located else None
                return self._record(record, "created", status=201, location=location)

            return await sent.answer(uow, work, readmit=lambda: service.readmit(payload, parent_id=parent_id))

    async def read(self, exchange: Exchange) -> Answer:
        """GET one record: 200, or 304 where `If-None-Match` names its version."""
        self._admit(exchange, "read")
        record_id, parent_id = exchange.id_in_path(self.id_in_path), self._parent(exchange)
        known = exchange.header(b"if-none-match")
        async with self._work(exchange) as uow:
            record = await self._service(exchange, uow).read(record_id, **_below(parent_id))
        answer = self._record(record, "retrieved")
        if record.version is not None and is_known(known, record.version):
            return Answer(304, version=record.version)
        return answer

    async def list(self, exchange: Exchange) -> Answer:
        """GET the collection: a page. Whoever cannot see any record, now or ever, is told so instead."""
        self._admit(exchange, "read")
        parent_id = self._parent(exchange)
        principal, access = exchange.principal, self.resource.access
        read = access.read_permits(principal)
        require_anywhere(principal, access, "read")
        edge, spec = exchange.edge, self.spec.without(access.hidden(principal))
        binding = f"{principal.tenant.id}:{principal.user_id}:{self.resource.name}:{parent_id}"
        query_string = exchange.scope["query_string"]
        request = parse_list(query_string, spec, signer=edge.cursors, binding=binding, sizes=edge.page_sizes)
        planning = planning_of(self.resource, read, request.shape, nested=parent_id is not None)
        async with self._work(exchange, planning) as uow:
            page = await self._service(exchange, uow).list(request, spec, parent_id=parent_id)
        cursor = edge.cursors.next_cursor(request, page.keys, spec=spec, binding=binding) if page.has_more else None
        body = page_body(page.json, has_more=page.has_more, next_cursor=cursor, total=page.total)
        return Answer(200, wrap(self.style, f"{self.resource.name.capitalize()} retrieved", body))

    async def update(self, exchange: Exchange) -> Answer:
        """PATCH one record: the fields that the body names."""
        self._admit(exchange, "update")
        record_id, expected = self._versioned(exchange)
        payload = read_json(await exchange.body(), _declared(self.update_schema))
        async with self._work(exchange) as uow:
            record = await self._service(exchange, uow).update(record_id, payload, expected=expected)
        return self._record(record, "updated")

    async def replace(self, exchange: Exchange) -> Answer:
        """PUT one record: every writable field."""
        self._admit(exchange, "update")
        record_id, expected = self._versioned(exchange)
        payload = read_json(await exchange.body(), _declared(self.create_schema))
        async with self._work(exchange) as uow:
            record = await self._service(exchange, uow).replace(record_id, payload, expected=expected)
        return self._record(record, "updated")

    async def delete(self, exchange: Exchange) -> Answer:
        """DELETE one record; ``?hard=true`` removes what would otherwise be marked."""
        self._admit(exchange, "delete")
        record_id, expected = self._versioned(exchange)
        parent_id = self._parent(exchange)
        hard = self.resource.purgeable and _flag(exchange.scope, "hard")
        async with self._work(exchange) as uow:
            service = self._service(exchange, uow)
            await service.delete(record_id, expected=expected, hard=hard, **_below(parent_id))
        gone = b'{"id":"%s"}' % str(record_id).encode()
        body = b"" if self.style is ResponseStyle.PLAIN else wrap(self.style, self._title("deleted"), gone)
        return Answer(deleted_status(self.style), body)

    async def restore(self, exchange: Exchange) -> Answer:
        """POST …/restore: bring a soft-deleted record back."""
        self._admit(exchange, "delete")
        record_id, expected = self._versioned(exchange)
        async with self._work(exchange) as uow:
            record = await self._service(exchange, uow).restore(record_id, expected=expected)
        return self._record(record, "restored")

    async def clear(self, exchange: Exchange) -> Answer:
        """DELETE the collection; ``?confirm=<name of the resource>`` says that it is meant."""
        require_anywhere(exchange.principal, self.resource.access, "clear")
        confirmed = read_pairs(exchange.scope["query_string"]).get("confirm")
        if confirmed != self.resource.name:
            raise ConfirmationMissing(f"Repeat the request with ?confirm={self.resource.name}.")
        async with self._work(exchange) as uow:
            removed = await self._service(exchange, uow).clear()
        return Answer(200, wrap(self.style, self._title("cleared"), b'{"removed":%d}' % removed))

    def _admit(self, exchange: Exchange, verb: str) -> None:
        self.service.admit(exchange.principal, verb)

    def _parent(self, exchange: Exchange) -> UUID | None:
        return exchange.id_in_path(self.parent_in_path) if self.parent_in_path else None

    def _versioned(self, exchange: Exchange) -> tuple[UUID, ExpectedVersion]:
        """Return the id in the path, and the versions that the write may meet, if the client says so."""
        expected = expected_versions(exchange.header(b"if-match"), exchange.header(b"if-none-match"))
        return exchange.id_in_path(self.id_in_path), expected

    def _work(self, exchange: Exchange, planning: Planning = Planning.KEPT) -> UnitOfWork:
        return exchange.context.work(self.resource.plane, planning)

    def _service(self, exchange: Exchange, uow: UnitOfWork) -> ResourceService:
        return self.service(uow, exchange.principal, exchange.edge.runtime)

    def _record(self, record: Rendered, happened: str, *, status: int = 200, location: str | None = None) -> Answer:
        body = wrap(self.style, self._title(happened), record.json.encode())
        return Answer(status, body, version=record.version, location=location)

    def _title(self, happened: str) -> str:
        return f"{self.resource.singular.capitalize()} {happened}"


def _declared(schema: type[Model] | None) -> type[Model]:
    if schema is None:  # the router refuses such a declaration at start
        raise ConfigurationError("An operation was called without its schema.")
    return schema


def _flag(scope: Scope, name: str) -> bool:
    value = read_pairs(scope["query_string"]).get(name, "false")
    if value not in ("true", "false"):
        raise InvalidQuery.at(f"?{name}", "It takes true or false.", "invalid_flag")
    return value == "true"


def _below(parent_id: UUID | None) -> dict[str, UUID]:
    """Return the part of an address that only records have which are named below their parent."""
    return {} if parent_id is None else {"parent_id": parent_id}
