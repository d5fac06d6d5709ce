"""A JSON object from a client that can be stored as `jsonb` without surprise."""

from __future__ import annotations

import json
import math
from typing import Annotated, Any

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

MAX_JSON_DEPTH = 32
"""Levels of nesting; the object itself is the first."""

MAX_JSON_BYTES = 65_536
"""Size of the compact text in UTF-8."""

_INT8 = 2**63


def check_json(value: dict[str, Any]) -> dict[str, Any]:
    """Return `value` if it is within the limits of `SafeJson`; raises `PydanticCustomError` where it is not.

    >>> check_json({"retries": 3})
    {'retries': 3}
    """
    level: list[Any] = [value]
    depth = 0
    while level:  # level by level: recursion would need a limit of its own
        depth += 1
        if depth > MAX_JSON_DEPTH + 1:  # the last level may hold scalars, not containers
            raise PydanticCustomError("json_too_deep", "The object is nested too deeply (32 levels at most)")
        level = [inner for item in level for inner in _inside(item)]
    try:
        size = len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
    except (UnicodeEncodeError, TypeError):
        raise PydanticCustomError("json_text", "The object holds text or values that JSON cannot carry") from None
    if size > MAX_JSON_BYTES:
        raise PydanticCustomError("json_too_large", "The object is too large (64 KiB at most)")
    return value


def _inside(item: Any) -> list[Any]:
    """Return what the level below holds, after a look at a scalar."""
    match item:
        case dict():
            return [*item, *item.values()]
        case list():
            return item
        case str() if "\x00" in item:
            raise PydanticCustomError("nul_character", "NUL characters are not accepted")
        case float() if not math.isfinite(item):
            raise PydanticCustomError("finite_number", "Numbers should be finite")
        case int() if not -_INT8 <= item < _INT8:
            raise PydanticCustomError("int_range", "Whole numbers should fit into 64 bits")
        case _:
            return []


SafeJson = Annotated[
    dict[str, Any], AfterValidator(check_json), WithJsonSchema({"type": "object", "additionalProperties": True})
]
"""An object of at most 32 levels and 64 KiB, without NUL, NaN and Infinity, with whole numbers of 64 bits."""
