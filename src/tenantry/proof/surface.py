"""The surface of an application as its OpenAPI document describes it: operations, where they take ids, what they take.

Everything that is proved is generated from here, so that a route of tomorrow is in the proof without being asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import UUID

from tenantry.http import API_PREFIX

Schema = Mapping[str, Any]

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_PLACE = re.compile(r"\{([^}]+)\}")
_FILTER = re.compile(r"filter\[([^\]]+)\](?:\[([^\]]+)\])?")


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for an id in a path: its parameter, and the collection it names one of (``/projects/{}/tasks``)."""

    name: str
    collection: str


@dataclass(frozen=True, slots=True)
class Reference:
    """A place for an id outside of the path: ``project_id`` in a body, ``filter[project_id]`` in a query string."""

    name: str
    field: str
    is_list: bool = False


@dataclass(frozen=True, eq=False)
class Operation:
    """One method of one path."""

    document: Mapping[str, Any] = field(repr=False)
    method: str
    path: str

    @cached_property
    def declared(self) -> Mapping[str, Any]:
        """The operation's part of the document."""
        found: Mapping[str, Any] = self.document["paths"][self.path][self.method.lower()]
        return found

    @cached_property
    def parameters(self) -> Sequence[Mapping[str, Any]]:
        """Every parameter, with references resolved."""
        return [self.resolved(one) for one in self.declared.get("parameters", ())]

    @property
    def id(self) -> str:
        """The operation id; the request line where the document gives none."""
        return str(self.declared.get("operationId", self.title))

    @property
    def title(self) -> str:
        """Method and path, as reports show them."""
        return f"{self.method} {self.path}"

    @property
    def writes(self) -> bool:
        """Whether the operation may change something."""
        return self.method in WRITES

    @property
    def is_public(self) -> bool:
        """Whether nobody has to sign in."""
        return not self.declared.get("security")

    @cached_property
    def is_of_tenant(self) -> bool:
        """Whether the operation acts in a tenant: whether it takes the header that selects one."""
        return any(one["name"] == "X-Tenant-Id" for one in self.parameters)

    @cached_property
    def is_list(self) -> bool:
        """Whether it answers pages."""
        return self.method == "GET" and {"page_size", "cursor"} <= self.query.keys()

    @cached_property
    def collection(self) -> str:
        """The path below the prefix, with bare places: ``/projects/{}/tasks``."""
        return _PLACE.sub("{}", self.path.removeprefix(API_PREFIX))

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """The places for ids in the path, first to last."""
        path = self.path.removeprefix(API_PREFIX)
        return tuple(
            Slot(found[1], _PLACE.sub("{}", path[: found.start()]).rstrip("/")) for found in _PLACE.finditer(path)
        )

    @cached_property
    def query(self) -> dict[str, Schema]:
        """The parameters of the query string, by name."""
        return {one["name"]: self.plain(one.get("schema", {})) for one in self.parameters if one["in"] == "query"}

    @cached_property
    def id_parameters(self) -> tuple[Reference, ...]:
        """The parameters of the query string that name things by id."""
        found = []
        for name, schema in self.query.items():
            spelled = _FILTER.fullmatch(name)
            if spelled is not None and spelled[2] not in (None, "in"):
                continue
            if _is_id(schema) or _is_id(self.plain(schema.get("items", {}))):
                found.append(Reference(name, spelled[1] if spelled else name, is_list=schema.get("type") == "array"))
        return tuple(found)

    @cached_property
    def text_parameters(self) -> tuple[str, ...]:
        """The parameters that look into texts: the search, and what contains."""
        return tuple(name for name in self.query if name in ("search", "q") or name.endswith("[contains]"))

    @cached_property
    def sorts(self) -> tuple[str, ...]:
        """The terms that a list can be sorted by."""
        schema = self.query.get("sort", {})
        return tuple(self.plain(schema.get("items", {})).get("enum", ()) or schema.get("enum", ()))

    @cached_property
    def body(self) -> Schema | None:
        """The schema of the body; None where it takes none, or none in JSON."""
        content = self.resolved(self.declared.get("requestBody", {})).get("content", {})
        schema = content.get("application/json", {}).get("schema")
        return None if schema is None else self.plain(schema)

    @cached_property
    def references(self) -> tuple[Reference, ...]:
        """The members of the body that name other things by id."""
        found = []
        for name, declared in (self.body or {}).get("properties", {}).items():
            schema = self.plain(declared)
            if _is_id(schema):
                found.append(Reference(name, name))
            elif schema.get("type") == "array" and _is_id(self.plain(schema.get("items", {}))):
                found.append(Reference(name, name.removesuffix("s"), is_list=True))
        return tuple(found)

    def address(self, ids: Sequence[UUID | str]) -> str:
        """Return the path with ids in its places, first to last."""
        left = iter(ids)
        return _PLACE.sub(lambda _: str(next(left)), self.path)

    def plain(self, schema: Schema) -> Schema:
        """Return a schema without its reference and without the null beside it."""
        schema = self.resolved(schema)
        choices = [one for one in (*schema.get("anyOf", ()), *schema.get("oneOf", ())) if one.get("type") != "null"]
        return self.plain(choices[0]) if choices else schema

    def resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what a reference leads to."""
        while "$ref" in schema:
            found: Any = self.document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            schema = found
        return schema


def operations_of(document: Mapping[str, Any]) -> Iterator[Operation]:
    """Yield every operation of an OpenAPI document, in its order."""
    for path, methods in document["paths"].items():
        for method in methods:
            if method.upper() in WRITES or method == "get":
                yield Operation(document, method.upper(), path)


def _is_id(schema: Schema) -> bool:
    return schema.get("format") == "uuid"
