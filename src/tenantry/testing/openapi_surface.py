"""The surface of an application as its OpenAPI document describes it: operations, where they take ids, what they take.

What must hold for every route is generated from here, so that a route of tomorrow is tested without being asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self
from uuid import UUID

from tenantry.http import API_PREFIX
from tenantry.query import OPERATORS

Schema = Mapping[str, Any]

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_METHODS = frozenset({"get", *map(str.lower, WRITES)})
_PLACE = re.compile(r"\{([^}]+)\}")
_FILTER = re.compile(r"filter\[([^\]]+)\](?:\[([^\]]+)\])?")
_NEGATING = {one.name for one in OPERATORS if one.negates}
_SEARCHING = tuple(f"[{one.name}]" for one in OPERATORS if one.searches)
_USUAL_PAGE = 100  # of a list whose document names no maximum


@dataclass(frozen=True, slots=True)
class PathSlot:
    """A place for an id in a path: its parameter, and the collection it names one of (``/projects/{}/tasks``)."""

    name: str
    collection: str


@dataclass(frozen=True, slots=True)
class IdReference:
    """A place for an id outside of the path: ``project_id`` in a body, ``filter[project_id]`` in a query string."""

    name: str
    field: str
    is_list: bool = False


@dataclass(frozen=True, eq=False)
class ApiOperation:
    """One method of one path."""

    document: Mapping[str, Any] = field(repr=False)
    method: str
    path: str

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> list[Self]:
        """Return every operation of an OpenAPI document, in its order."""
        paths = document["paths"].items()
        return [cls(document, one.upper(), path) for path, methods in paths for one in methods if one in _METHODS]

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
    def slots(self) -> tuple[PathSlot, ...]:
        """The places for ids in the path, first to last."""
        path = self.path.removeprefix(API_PREFIX)
        return tuple(
            PathSlot(found[1], _PLACE.sub("{}", path[: found.start()]).rstrip("/")) for found in _PLACE.finditer(path)
        )

    @cached_property
    def query(self) -> dict[str, Schema]:
        """The parameters of the query string, by name."""
        return {one["name"]: self.plain(one.get("schema", {})) for one in self.parameters if one["in"] == "query"}

    @cached_property
    def id_parameters(self) -> tuple[IdReference, ...]:
        """The parameters of the query string that name things by id."""
        found = []
        for name, schema in self.query.items():
            spelled = _FILTER.fullmatch(name)
            if spelled is not None and spelled[2] in _NEGATING:
                continue
            if _is_id(schema) or _is_id(self.plain(schema.get("items", {}))):
                found.append(IdReference(name, spelled[1] if spelled else name, is_list=schema.get("type") == "array"))
        return tuple(found)

    @cached_property
    def text_parameters(self) -> tuple[str, ...]:
        """The parameters that look into texts: the search, and filters."""
        return tuple(name for name in self.query if name in ("search", "q") or name.endswith(_SEARCHING))

    @property
    def largest_page(self) -> int:
        """Items on the largest page of a list."""
        return int(self.query["page_size"].get("maximum", _USUAL_PAGE))

    @cached_property
    def sorts(self) -> tuple[str, ...]:
        """The terms that a list can be sorted by."""
        schema = self.query.get("sort", {})
        return tuple(self.plain(schema.get("items", {})).get("enum", ()) or schema.get("enum", ()))

    @property
    def media_type(self) -> str | None:
        """The media type of the body; None where it takes none."""
        return next(iter(self._content), None)

    @cached_property
    def body_schema(self) -> Schema | None:
        """The schema of the body; None where it takes none, or none in JSON."""
        return self.schema_in("application/json")

    def schema_in(self, media_type: str | None) -> Schema | None:
        """Return the schema of the body in a media type; None where it takes none."""
        schema = self._content.get(media_type, {}).get("schema")
        return None if schema is None else self.plain(schema)

    @cached_property
    def references(self) -> tuple[IdReference, ...]:
        """The members of the body that name other things by id."""
        found = []
        for name, declared in (self.body_schema or {}).get("properties", {}).items():
            schema = self.plain(declared)
            if _is_id(schema):
                found.append(IdReference(name, name))
            elif schema.get("type") == "array" and _is_id(self.plain(schema.get("items", {}))):
                found.append(IdReference(name, name.removesuffix("s"), is_list=True))
        return tuple(found)

    def names(self, place: str) -> list[str]:
        """Return the names of the parameters in ``path``, ``query`` or ``header``."""
        return [one["name"] for one in self.parameters if one["in"] == place]

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

    @property
    def _content(self) -> Mapping[str | None, Any]:
        content: Mapping[str | None, Any] = self.resolved(self.declared.get("requestBody", {})).get("content", {})
        return content


def _is_id(schema: Schema) -> bool:
    return schema.get("format") == "uuid"
