"""The surface of the application as its OpenAPI document describes it, and a valid request for each operation.

Tests that must hold for *every* route are generated from here, so that a route of tomorrow is in them without being
asked for. What cannot be generated (the token of a mail, say) is written down in `BODIES`; a new operation that needs
such a body fails its control and so asks for a line there.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from httpx2 import AsyncClient, Response

from tenantry.testing import ApiOperation, Schema

PREFIX = "/api/v1"

Ids = Mapping[str, uuid.UUID]
"""Ids by what they name: a collection of a path (``projects``) or a member of a body (``owner_id``)."""


class Operation(ApiOperation):
    """One method of one path, with ids by the names of what they are of."""

    @property
    def path_collections(self) -> tuple[str, ...]:
        """The collections whose ids the path takes: ``tasks`` for ``/tasks/{id}/comments``."""
        parts = self.path.split("/")
        return tuple(collection_of(parts, at) for at, part in enumerate(parts) if part.startswith("{"))

    def path_to(self, ids: Ids) -> str:
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
        return None if self.body_schema is None else self.value(self.body_schema, "", ids, mark)

    async def send(
        self, client: AsyncClient, ids: Ids, *, mark: str = "text", body: Any = None, **given: Any
    ) -> Response:
        """Send a valid request with the ids in their places; `body` replaces the generated one."""
        body = self.body(ids, mark=mark) if body is None else body
        if body is not None:
            given["json"] = body
        given["params"] = self.question(ids) | given.get("params", {})
        return await client.request(self.method, self.path_to(ids), **given)

    def value(self, schema: Schema, name: str, ids: Ids, mark: str = "text") -> Any:
        """Return a value that a schema allows; `name` is the member that it is for."""
        schema = self.plain(schema)
        match schema:
            case {"enum": [first, *_]} | {"const": first}:
                return first
            case {"type": "object"}:
                members = schema.get("properties", {})
                return {key: self.value(inner, key, ids, mark) for key, inner in members.items()}
            case {"type": "string"}:
                return self._text(schema, name, ids, mark)
            case {"type": "integer"}:
                return int(schema.get("minimum", 0)) + 1
            case {"type": "boolean"}:
                return True
            case _:
                raise AssertionError(f"{self.id}: no value is known for {name} ({schema}); add a body to BODIES")

    def _text(self, schema: Schema, name: str, ids: Ids, mark: str) -> str:
        match schema.get("format"):
            case "uuid":
                return str(ids[name])
            case "date":
                return "2031-05-17"
            case "email":
                return f"{mark.lower()}.{uuid.uuid4().hex[:8]}@people.test"
            case "password":
                return "a password of nobody"
            case None if name == "slug":
                return f"s-{uuid.uuid4().hex[:20]}"
            case None:
                return f"{mark}.{name}"[: schema.get("maxLength", 1000)]
            case other:
                raise AssertionError(f"{self.id}: no text is known for {name} ({other})")


BODIES: dict[str, Any] = {
    "members_create": lambda ids, mark: {"email": f"{uuid.uuid4().hex}@invited.test", "role": "viewer"},
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
    return Operation.of_document(app.openapi())


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
