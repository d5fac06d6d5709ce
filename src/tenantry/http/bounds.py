"""Finds texts without a limit in an input schema; the application refuses to start with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

_BOUNDED_FORMATS = frozenset({"uuid", "date", "date-time", "time", "duration", "ipv4", "ipv6"})
_LIMITS = ("maxLength", "enum", "const")


def unbounded_strings(model: type[BaseModel]) -> list[str]:
    """Return the places of `model` that accept text of any length, as pointers; ``*`` stands for any element.

    >>> class Item(BaseModel):
    ...     name: str
    ...     tags: list[str]
    >>> unbounded_strings(Item)
    ['/name', '/tags/*']
    """
    schema = model.model_json_schema(mode="validation")
    return sorted(set(_walk(schema, schema.get("$defs", {}), "", frozenset())))


def _walk(schema: Any, definitions: Mapping[str, Any], at: str, seen: frozenset[str]) -> Iterator[str]:
    if not isinstance(schema, Mapping):  # `true`: anything, and its limits are its validator's business
        return
    reference = str(schema.get("$ref", "")).rpartition("/")[2]
    if reference and reference not in seen:
        yield from _walk(definitions[reference], definitions, at, seen | {reference})
    if schema.get("type") == "string" and not _is_bounded(schema):
        yield at
    for part, inner in _parts(schema):
        yield from _walk(inner, definitions, at + part, seen)


def _parts(schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for choice in ("anyOf", "oneOf", "allOf"):
        yield from (("", option) for option in schema.get(choice, ()))
    yield from ((f"/{name}", inner) for name, inner in schema.get("properties", {}).items())
    yield from ((f"/{index}", inner) for index, inner in enumerate(schema.get("prefixItems", ())))
    for rest in ("items", "additionalProperties", "patternProperties"):
        inner = schema.get(rest)
        if rest == "patternProperties" and isinstance(inner, Mapping):
            yield from (("/*", value) for value in inner.values())
        elif inner is not None:
            yield "/*", inner


def _is_bounded(schema: Mapping[str, Any]) -> bool:
    return any(limit in schema for limit in _LIMITS) or schema.get("format") in _BOUNDED_FORMATS
