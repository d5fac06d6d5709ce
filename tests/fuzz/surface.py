"""The operations of the OpenAPI document, and a valid value for everything that a request takes."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tests.fuzz.direct import Headers

PREFIX = "/api/v1"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

Schema = Mapping[str, Any]
Ids = Mapping[str, uuid.UUID]
"""Ids of what exists, by what names them: a collection in a path (``tasks``) or a member of a body (``user_id``)."""


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
    def media_type(self) -> str | None:
        """The media type of the body, None where there is no body."""
        return next(iter(self.declared.get("requestBody", {}).get("content", {})), None)

    @property
    def body_schema(self) -> Schema:
        return self.plain(self.declared["requestBody"]["content"][self.media_type]["schema"])

    @property
    def is_of_tenant(self) -> bool:
        return "X-Tenant-Id" in self.names("header")

    @property
    def is_public(self) -> bool:
        return "security" not in self.declared

    def names(self, place: str) -> list[str]:
        """Return the names of the parameters in ``path``, ``query`` or ``header``."""
        return [one["name"] for one in self.declared.get("parameters", ()) if one["in"] == place]

    def plain(self, schema: Schema) -> Schema:
        """Return a schema without its reference and its null."""
        while "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        choices = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
        return self.plain(choices[0]) if choices else schema

    def valid(self, schema: Schema, name: str, ids: Ids) -> Any:
        """Return a value that the schema of a member allows."""
        schema = self.plain(schema)
        match schema:
            case {"enum": [first, *_]} | {"const": first}:
                return first
            case {"type": "object"}:
                return {key: self.valid(inner, key, ids) for key, inner in schema.get("properties", {}).items()}
            case {"type": "string"}:
                return _text(schema, name, ids)
            case {"type": "integer"}:
                return int(schema.get("minimum", 0)) + 1
            case {"type": "boolean"}:
                return True
            case _:
                raise AssertionError(f"{self.id}: no value is known for {name}: {json.dumps(dict(schema))}")


@dataclass(frozen=True)
class Caller:
    """Who sends the requests, with the ids that they use; `bodies` are valid ones that a schema cannot tell."""

    headers: Headers
    ids: Ids
    bodies: Mapping[str, Mapping[str, Any] | Callable[[], Mapping[str, Any]]] = field(default_factory=dict)

    def body(self, name: str) -> dict[str, Any] | None:
        """Return the body that is written down for an operation, made anew where the moment is part of it."""
        given = self.bodies.get(name)
        return None if given is None else dict(given() if callable(given) else given)


def operations_of(document: Mapping[str, Any]) -> list[Operation]:
    """Return every operation of a document, in its order."""
    paths = document["paths"].items()
    return [Operation(document, method.upper(), path) for path, methods in paths for method in methods]


def _text(schema: Schema, name: str, ids: Ids) -> str:
    match schema.get("format"):
        case "uuid":
            return str(ids[name])
        case "date":
            return "2031-05-17"
        case "email":
            return f"{uuid.uuid4().hex}@people.test"
        case "password":
            return "a password of nobody"
        case _ if name == "slug":
            return f"s-{uuid.uuid4().hex[:20]}"
        case _:
            return f"a {name}"[: schema.get("maxLength", 1000)]
