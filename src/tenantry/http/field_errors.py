"""Turns what Pydantic found into `FieldError`s: where, what, and a code, never the value that was sent.

Where, as a pointer:

- body: a JSON pointer (RFC 6901), ``/items/0/name``; the empty string is the whole body
- query: ``?sort`` · path: ``{project_id}``, as in the route's template · header: ``header:If-Match`` · ``cookie:name``

Codes are Pydantic's error types (``missing``, ``string_too_long``) or those of our own types (``email_invalid``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import core_schema

from tenantry.kernel import FieldError
from tenantry.observability import escape_controls

MAX_ERRORS = 50
"""Problems that one answer lists; a body of a megabyte can hold a million."""

_MAX_POINTER = 256
_MAX_MESSAGE = 300
_MAX_DETAILED = 1000

# These built-in messages quote the input or repeat what a validator said about it; all others are made of constants.
_QUOTING = {"union_tag_invalid", "uuid_parsing", "value_error", "assertion_error", "get_attribute_error"}
_PLAIN: frozenset[str] = frozenset(get_args(core_schema.ErrorType)) - _QUOTING
_PLACES = {"query": "?{}", "path": "{{{}}}", "header": "header:{}", "cookie": "cookie:{}"}


def field_errors(error: ValidationError) -> tuple[FieldError, ...]:
    """Return the problems of a body that was validated as a whole, at most `MAX_ERRORS` of them.

    >>> from pydantic import BaseModel
    >>> class Item(BaseModel):
    ...     price_cents: int
    >>> try:
    ...     Item.model_validate({"price_cents": "many"})
    ... except ValidationError as error:
    ...     [(problem.pointer, problem.code) for problem in field_errors(error)]
    [('/price_cents', 'int_parsing')]
    """
    count = error.error_count()
    if count > _MAX_DETAILED:  # making a list of a million dicts takes seconds
        return (FieldError("", f"There are {count} problems, too many to list.", "too_many_errors"),)
    listed = error.errors(include_url=False)[:MAX_ERRORS]
    return tuple(_field_error(json_pointer(problem["loc"]), problem) for problem in listed)


def located_field_errors(problems: Iterable[Mapping[str, Any]]) -> tuple[FieldError, ...]:
    """Return the problems that FastAPI found, whose location begins with the part of the request."""
    listed = [problem for _, problem in zip(range(MAX_ERRORS), problems, strict=False)]
    return tuple(_field_error(_request_pointer(problem["loc"]), problem) for problem in listed)


def json_pointer(location: Sequence[str | int]) -> str:
    """Return a location as JSON pointer, escaped and cut: names of unknown members come from the client.

    >>> json_pointer(("a/b", 0, "c~d"))
    '/a~1b/0/c~0d'
    """
    pointer = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)
    return escape_controls(pointer[:_MAX_POINTER])


def _request_pointer(location: Sequence[str | int]) -> str:
    place, rest = str(location[0]) if location else "body", location[1:]
    if place not in _PLACES:
        return json_pointer(rest)
    name = ".".join(str(part) for part in rest)
    return escape_controls(_PLACES[place].format(name)[:_MAX_POINTER])


def _field_error(pointer: str, problem: Mapping[str, Any]) -> FieldError:
    return FieldError(pointer, _message(problem), str(problem["type"]))


def _message(problem: Mapping[str, Any]) -> str:
    kind, message = problem["type"], str(problem["msg"])
    if kind in _PLAIN:
        return message[:_MAX_MESSAGE]
    match kind:
        case "uuid_parsing":
            return "Input should be a valid UUID"
        case "union_tag_invalid":
            return f"The tag should be one of {problem['ctx']['expected_tags']}"[:_MAX_MESSAGE]
        case _:
            return _without_input(message, problem.get("input"))[:_MAX_MESSAGE]


def _without_input(message: str, value: Any) -> str:
    """Return what a validator said, unless it quotes the value."""
    message = message.removeprefix("Value error, ").removeprefix("Assertion failed, ")
    quotes = isinstance(value, (str, int, float)) and str(value)[:40] in message
    return "Input is not valid" if quotes and str(value) != "" else escape_controls(message)
