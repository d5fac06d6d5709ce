"""The surface of the application as its OpenAPI document describes it, and a valid request for each operation.

Tests that must hold for *every* route are generated from here, so that a route of tomorrow is in them without being
asked for. What cannot be generated (the token of a mail, say) is written down in `BODIES`; a new operation that needs
such a body fails its control and so asks for a line there.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from httpx2 import AsyncClient, Response

PREFIX = "/api/v1"
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})

Ids = Mapping[str, uuid.UUID]
"""Ids by what they name: a collection of a path (``projects``) or a member of a body (``owner_id``)."""


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    document: Mapping[str, Any] = field(repr=False)
    method: str
    path: str

    @cached_property
    def declared(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.document["paths"][self.path][self.method.lower()]
        return found

    @property
    def id(self) -> str:
        return str(self.declared["operationId"])

    @property
    def writes(self) -> bool:
        return self.method in WRITES

    @property
    def is_public(self) -> bool:
        return "security" not in self.declared

    @property
    def is_of_tenant(self) -> bool:
        """Whether the operation acts in a tenant: whether it takes the header that selects one."""
        return any(one["name"] == "X-Tenant-Id" for one in self.declared.get("parameters", ()))

    @property
    def is_list(self) -> bool:
        return any(one["name"] == "page_size" for one in self.declared.get("parameters", ()))

    @property
    def path_collections(self) -> tuple[str, ...]:
        """The collections whose ids the path takes: ``tasks`` for ``/tasks/{id}/comments``."""
        parts = self.path.split("/")
        return tuple(collection_of(parts, at) for at, part in enumerate(parts) if part.startswith("{"))

    @property
    def query(self) -> dict[str, Mapping[str, Any]]:
        """The parameters of the query string, by name."""
        return {one["name"]: one["schema"] for one in self.declared.get("parameters", ()) if one["in"] == "query"}

    @property
    def body_schema(self) -> Mapping[str, Any] | None:
        content = self.declared.get("requestBody", {}).get("content", {})
        schema = content.get("application/json", {}).get("schema")
        return None if schema is None else self._resolved(schema)

    @property
    def references(self) -> tuple[str, ...]:
        """The members of the body that name another thing by id."""
        members = (self.body_schema or {}).get("properties", {})
        return tuple(
            name
            for name, schema in members.items()
            if name in TEXTS_OF_IDS or self._plain(schema).get("format") == "uuid"
        )

    def address(self, ids: Ids) -> str:
        """Return the path below the prefix, with its ids."""
        parts = self.path.removeprefix(PREFIX).split("/")
        return "/".join(
            str(ids[collection_of(parts, at)]) if part.startswith("{") else part for at, part in enumerate(parts)
        )

    def question(self, ids: Ids) -> dict[str, str]:
        """Return the query without which the operation answers nothing."""
        return QUESTIONS[self.id](ids) if self.id in QUESTIONS else {}

    def body(self, ids: Ids, *, mark: str = "text") -> Any:
        """Return a valid body whose texts carry `mark`; None where the operation takes none."""
        if self.id in BODIES:
            return BODIES[self.id](ids, mark)
        return None if self.body_schema is None else self._value(self.body_schema, "", ids, mark)

    async def send(
        self, client: AsyncClient, ids: Ids, *, mark: str = "text", body: Any = None, **given: Any
    ) -> Response:
        """Send a valid request with the ids in their places; `body` replaces the generated one."""
        body = self.body(ids, mark=mark) if body is None else body
        if body is not None:
            given["json"] = body
        given["params"] = self.question(ids) | given.get("params", {})
        return await client.request(self.method, self.address(ids), **given)

    def _value(self, schema: Mapping[str, Any], name: str, ids: Ids, mark: str) -> Any:
        schema = self._plain(schema)
        match schema:
            case {"enum": [first, *_]} | {"const": first}:
                return first
            case {"type": "object"}:
                members = schema.get("properties", {})
                return {key: self._value(inner, key, ids, mark) for key, inner in members.items()}
            case {"type": "string"}:
                return self._text(schema, name, ids, mark)
            case {"type": "integer"}:
                return int(schema.get("minimum", 0)) + 1
            case {"type": "boolean"}:
                return True
            case _:
                raise AssertionError(f"{self.id}: no value is known for {name} ({schema}); add a body to BODIES")

    def _text(self, schema: Mapping[str, Any], name: str, ids: Ids, mark: str) -> str:
        match schema.get("format"):
            case "uuid":
                return str(ids[name])
            case "date":
                return "2031-05-17"
            case "email":
                return f"{mark.lower()}.{uuid.uuid4().hex[:8]}@people.test"
            case None if name == "slug":
                return f"s-{uuid.uuid4().hex[:20]}"
            case None:
                return f"{mark}.{name}"[: schema.get("maxLength", 1000)]
            case other:
                raise AssertionError(f"{self.id}: no text is known for {name} ({other})")

    def _plain(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the schema without its reference and its null."""
        schema = self._resolved(schema)
        choices = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
        return self._plain(choices[0]) if choices else schema

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return schema


BODIES: dict[str, Any] = {
    "members_create": lambda ids, mark: {"user_id": str(ids["user_id"]), "role": "viewer"},
    "members_update": lambda ids, mark: {"role": "manager"},
    "tenant_update": lambda ids, mark: {"name": f"{mark} {uuid.uuid4().hex[:8]}", "config": {"note": mark}},
    "invitations_create": lambda ids, mark: {"email": f"{uuid.uuid4().hex}@invited.test", "role": "viewer"},
    "teams_create": lambda ids, mark: {"name": f"{mark} {uuid.uuid4().hex[:8]}", "parent_id": str(ids["parent_id"])},
    "teams_update": lambda ids, mark: {"name": f"{mark} {uuid.uuid4().hex[:8]}", "parent_id": str(ids["parent_id"])},
    "roles_create": lambda ids, mark: {"name": f"{mark} {uuid.uuid4().hex[:8]}", "description": mark},
    "api_keys_create": lambda ids, mark: {"name": mark, "service_account_id": str(ids["service_account_id"])},
    "service_accounts_create": lambda ids, mark: {"name": f"{mark} {uuid.uuid4().hex[:8]}", "role": "viewer"},
    "service_accounts_update": lambda ids, mark: {"name": f"{mark} {uuid.uuid4().hex[:8]}", "role": "member"},
    "roles_update": lambda ids, mark: {"name": f"{mark} {uuid.uuid4().hex[:8]}", "description": mark},
    "projects_grants_create": lambda ids, mark: _gift(ids, "projects"),
    "tasks_grants_create": lambda ids, mark: _gift(ids, "tasks"),
    "items_grants_create": lambda ids, mark: _gift(ids, "items"),
    "grants_create": lambda ids, mark: _gift(ids, "projects") | {"resource_type": "project"},
}
"""Bodies that a schema cannot tell: exclusive members, values that must be new."""


def _gift(ids: Ids, resource: str) -> dict[str, str]:
    """Return a grant that takes nothing from anybody: to a role that nobody has, what the scenery did not grant."""
    return {"subject_type": "role", "subject_id": str(ids["subject_id"]), "action": f"{resource}:*"}


QUESTIONS: dict[str, Any] = {
    "access_explain": lambda ids: {"action": "projects:update", "resource_id": str(ids["resource_id"])},
    "access_who_can": lambda ids: {"action": "projects:update", "resource_id": str(ids["resource_id"])},
}
"""What a query must hold, by operation."""

TEXTS_OF_IDS = frozenset({"subject_id"})
"""Members of bodies that take an id, and something else as well: a grant names a role by either."""

OF_EACH_RECORD = frozenset({"grants"})
"""Collections that records of several kinds have: the id of one says below which kind of record it is."""


def collection_of(parts: list[str], at: int) -> str:
    """Return the name of what the id at a place of a path is of: ``tasks``, and ``tasks/grants`` below a task."""
    collection = parts[at - 1]
    if collection in OF_EACH_RECORD and parts[at - 2].startswith("{"):
        return f"{parts[at - 3]}/{collection}"
    return collection


def operations_of(app: FastAPI) -> list[Operation]:
    """Return every operation of the document, in its order."""
    return list(_operations(app.openapi()))


def tenant_operations(app: FastAPI) -> list[Operation]:
    """Return the operations that act in a tenant."""
    return [operation for operation in operations_of(app) if operation.is_of_tenant]


def routed(app: FastAPI) -> set[tuple[str, str]]:
    """Return every (method, path) that is routed below the prefix, whether the document knows it or not."""
    return {
        (method, route.path_format)
        for route in app.routes
        if isinstance(route, APIRoute) and route.path_format.startswith(PREFIX)
        for method in route.methods
    }


def _operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method in methods:
            yield Operation(document, method.upper(), path)
