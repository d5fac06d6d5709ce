"""Valid bodies and query strings, generated from schemas; every text of them carries the canary of its tenant."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tenantry.app import Application
from tenantry.resources import ResourceDefinition, ResourceRouter
from tenantry.tenancy import Role
from tenantry.testing import ApiOperation, Schema

PEOPLE = "/members"
"""The collection of people: what a reference means that names no resource."""
TENANTS = "/platform/tenants"
MOST_CHOICES = 40
"""Shapes of a body that are tried until one is taken."""

_FORMATS = {
    "date": "2031-05-17",
    "date-time": "2031-05-17T10:00:00Z",
    "uri": "https://proof.test/",
    "url": "https://proof.test/",
}
_PERSONS = frozenset({"user", "owner", "assignee", "member"})
_PLURALS = (("y", "ies"), ("", "s"), ("", "es"), ("", ""))


@dataclass(frozen=True)
class Choice:
    """One shape of a body: which optional members are left out, and which value of an enumeration is taken."""

    left_out: frozenset[str] = frozenset()
    picked: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Filling:
    """What a body is filled with: the tenant's mark, and the ids that its references may name."""

    mark: str
    ids: Mapping[str, UUID]
    """By collection; `PEOPLE` must be there."""


class Vocabulary:
    """What the names of an application mean: which collection a reference names, which permissions there are."""

    def __init__(self, application: Application, operations: list[ApiOperation]) -> None:
        self._definitions = [
            (router, router.service.resource)
            for module in application.modules
            for router in module.routers
            if isinstance(router, ResourceRouter)
        ]
        self.collections = {slot.collection for one in operations for slot in one.slots}
        self.collections |= {one.collection for one in operations if _adds(one)}
        self.permissions = sorted(application.catalog().descriptions)

    @property
    def resources(self) -> list[ResourceDefinition]:
        """Every resource of the application."""
        return [one for _, one in self._definitions]

    def definition_of(self, collection: str) -> ResourceDefinition | None:
        """Return the resource whose records a collection holds."""
        name = collection.rpartition("/")[2]
        return next((one for _, one in self._definitions if one.name == name), None)

    def target_of(self, operation: ApiOperation, name: str) -> str:
        """Return the collection that a reference of an operation names: by foreign key, else by its name."""
        own = _own_collection(operation)
        by_key = self._by_foreign_key(own, name)
        if by_key is not None:
            return by_key
        stem = name.removesuffix("_id")
        if stem == "user":
            return PEOPLE
        if stem == "parent":
            return self.home_of(own)
        if stem == "tenant":
            return TENANTS
        if stem == "resource":
            return next((path for path in self.collections if self.definition_of(path)), PEOPLE)
        names = {stem.removesuffix(end) + plural for end, plural in _PLURALS if stem.endswith(end)}
        names = {one.replace("_", "-") for one in names}
        return min((one for one in self.collections if one.rpartition("/")[2] in names), key=len, default=PEOPLE)

    def is_reference(self, operation: ApiOperation, name: str) -> bool:
        """Tell whether a member names something for certain: by foreign key, by a collection, or a person."""
        own = _own_collection(operation)
        known = self.target_of(operation, name) != PEOPLE or name.removesuffix("_id") in _PERSONS
        return known or self._by_foreign_key(own, name) is not None

    def permission_of(self, operation: ApiOperation) -> str:
        """Return a permission that an operation may be about."""
        names = [one.name for one in self._ordered()]
        grantable = [one.name for one in self.resources if one.access.grantable]
        named = [part for part in operation.collection.split("/") if part in grantable]
        candidates = [f"{name}:read" for name in (*named, *names)]
        return next(one for one in (*candidates, *self.permissions) if one in self.permissions)

    def resource_name(self) -> str:
        """Return the name of some resource."""
        return next((one.name for one in self._ordered()), "members")

    def _ordered(self) -> list[ResourceDefinition]:
        """Return the resources, those with grants first: what names some resource may be about a grant."""
        return sorted((one for _, one in self._definitions), key=lambda one: not one.access.grantable)

    def _by_foreign_key(self, collection: str, name: str) -> str | None:
        definition = self.definition_of(collection)
        if definition is None or name not in definition.table.c:
            return None
        tables = {key.column.table.name for key in definition.table.c[name].foreign_keys}
        return next((router.path for router, one in self._definitions if one.table.name in tables), None)

    def home_of(self, collection: str) -> str:
        """Return where single records are read: ``/tasks`` for ``/projects/{}/tasks``."""
        definition = self.definition_of(collection)
        return next((router.path for router, one in self._definitions if one is definition), collection)


class Bodies:
    """Makes valid bodies; what was taken once is the shape from then on."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self._taken: dict[str, Choice] = {}
        self._numbers = itertools.count(1)

    def choices(self, operation: ApiOperation) -> Iterator[Choice]:
        """Yield the shapes to try: the one that was taken before, all members, the required ones, each one less."""
        if operation.id in self._taken:
            yield self._taken[operation.id]
            return
        yield from itertools.islice(self._choices(operation), MOST_CHOICES)

    def keep(self, operation: ApiOperation, choice: Choice) -> None:
        """Remember the shape that was taken."""
        self._taken[operation.id] = choice

    def choice_of(self, operation: ApiOperation) -> Choice:
        """Return the shape that was taken, or the first one."""
        return self._taken.get(operation.id, Choice())

    def body(self, operation: ApiOperation, filling: Filling, choice: Choice | None = None) -> Any:
        """Return a body; None where the operation takes none."""
        if operation.body_schema is None:
            return None
        chosen = choice or self.choice_of(operation)
        return self._value(operation, operation.body_schema, "", filling, chosen)

    def params(self, operation: ApiOperation, filling: Filling, choice: Choice | None = None) -> dict[str, str]:
        """Return the parameters of the query string that an operation cannot do without."""
        chosen = choice or self.choice_of(operation)
        return {
            one["name"]: str(self._value(operation, one.get("schema", {}), one["name"], filling, chosen))
            for one in operation.parameters
            if one["in"] == "query" and one.get("required")
        }

    def _choices(self, operation: ApiOperation) -> Iterator[Choice]:
        members = (operation.body_schema or {}).get("properties", {})
        required = set((operation.body_schema or {}).get("required", ()))
        optional = [name for name in members if name not in required]
        yield Choice()
        if optional:
            yield Choice(frozenset(optional))
        for name in optional:
            yield Choice(frozenset(optional) - {name})
            yield Choice(frozenset({name}))
        for name in members:
            for value in operation.plain(members[name]).get("enum", ())[1:]:
                yield Choice(picked={name: value})
                yield Choice(frozenset(optional), {name: value})

    def _value(self, operation: ApiOperation, schema: Schema, name: str, filling: Filling, choice: Choice) -> Any:
        schema = operation.plain(schema)
        if name in choice.picked:
            return choice.picked[name]
        known = self._known(operation, name, schema, filling)
        return known if known is not None else self._typed(operation, schema, name, filling, choice)

    def _typed(self, operation: ApiOperation, schema: Schema, name: str, filling: Filling, choice: Choice) -> Any:
        found: Any
        match schema:
            case {"const": found} | {"enum": [found, *_]}:
                pass
            case {"type": "array"}:
                found = [self._value(operation, schema.get("items", {}), name.removesuffix("s"), filling, choice)]
            case {"type": "integer" | "number"}:
                found = _number(schema)
            case {"type": "boolean"}:
                found = True
            case {"type": "string"}:
                found = self._text(operation, schema, name, filling)
            case _:
                found = self._object(operation, schema, filling, choice)
        return found

    def _object(self, operation: ApiOperation, schema: Schema, filling: Filling, choice: Choice) -> dict[str, Any]:
        members = schema.get("properties")
        if not members:
            return {"note": filling.mark}
        left_out = (choice.left_out | self._reserved(operation)) - set(schema.get("required", ()))
        return {
            name: self._value(operation, inner, name, filling, choice)
            for name, inner in members.items()
            if name not in left_out
        }

    def _reserved(self, operation: ApiOperation) -> frozenset[str]:
        """Return what is left out of bodies: fields that few may write, and the slug that later calls select by."""
        definition = self.vocabulary.definition_of(_own_collection(operation))
        restricted = frozenset(definition.access.restricted) if definition is not None else frozenset()
        return restricted | {"slug"} if operation.method == "PATCH" else restricted

    def _known(self, operation: ApiOperation, name: str, schema: Schema, filling: Filling) -> Any:
        """Return what the names of the framework mean, where a schema says only that it is a text."""
        if "enum" in schema and name != "role":
            return None
        known = {
            "role": Role.VIEWER.value,
            "permission": self.vocabulary.permission_of(operation),
            "action": self.vocabulary.permission_of(operation),
            "subject_type": "user",
            "subject_id": str(filling.ids[PEOPLE]),
            "resource_type": self.vocabulary.resource_name(),
            "effect": "allow",
        }
        return known.get(name)

    def _text(self, operation: ApiOperation, schema: Schema, name: str, filling: Filling) -> str:
        form = str(schema.get("format"))
        if form == "uuid":
            target = self.vocabulary.target_of(operation, name)
            return str(filling.ids.get(target, filling.ids[PEOPLE]))
        if form == "email":
            return f"{filling.mark.lower()}.{next(self._numbers)}@people.test"
        return _FORMATS.get(form) or self._free(schema, name, filling)

    def _free(self, schema: Schema, name: str, filling: Filling) -> str:
        number, longest = next(self._numbers), schema.get("maxLength", 1000)
        marked = f"{filling.mark}.{number}.{name}"[:longest]
        slug = f"p{number}-{filling.mark.rpartition('-')[2].lower()}"[:longest]
        pattern = schema.get("pattern")
        if name == "slug":
            return slug
        if pattern is None:
            return marked
        spelled = pattern.strip("^$")
        others = (slug, slug.replace("-", "_"), f"p{number}", "a", "0", "* * * * *", "#aabbcc", spelled)
        return next((one for one in (marked, *others) if re.search(pattern, one)), marked)


def _adds(operation: ApiOperation) -> bool:
    """Tell whether an operation adds a record to a collection that stands for itself."""
    is_creation = operation.method == "POST" and "201" in operation.declared.get("responses", {})
    return is_creation and operation.is_of_tenant and not operation.slots


def _own_collection(operation: ApiOperation) -> str:
    """Return the collection whose record an operation is about: ``/projects`` for ``/projects/{}/transfer``."""
    collection = operation.collection
    if operation.method == "POST" and not operation.slots:
        return collection
    if collection.endswith("}"):
        return operation.slots[-1].collection
    return collection


def _number(schema: Schema) -> int | float:
    low = schema.get("minimum", schema.get("exclusiveMinimum", 0))
    return (
        min(low + 1, schema.get("maximum", low + 1))
        if schema.get("type") == "number"
        else int(min(low + 1, schema.get("maximum", low + 1)))
    )
