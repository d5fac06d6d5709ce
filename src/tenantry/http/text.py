"""What every text of an input must be: encodable, without NUL, in one canonical Unicode form.

PostgreSQL stores neither NUL nor lone surrogates; both are legal JSON and would be a failure at the database. Text is
normalised to NFC, so that two spellings of one name (composed, decomposed) are one value for unique constraints,
slugs and passwords alike (RFC 8265 asks the same of passwords).
"""

from __future__ import annotations

import unicodedata
from typing import Any, LiteralString

from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

MAX_DEPTH = 64
"""Levels of nesting that an input may have."""

MAX_ITEMS = 10_000
"""Elements that one array or object may have. A megabyte holds half a million, each of which could be a problem."""

Location = tuple[str | int, ...]


def clean(data: Any, title: str) -> Any:
    r"""Return `data` (as parsed from JSON) with every text in NFC.

    Raises Pydantic's `ValidationError` naming every text with a NUL or a lone surrogate, and
    what is nested over `MAX_DEPTH` or larger than `MAX_ITEMS`.

    >>> clean({"name": "Cafe\u0301"}, "Item") == {"name": "Caf\u00e9"}
    True
    """
    problems: list[InitErrorDetails] = []
    cleaned = _clean(data, (), problems)
    if problems:
        raise ValidationError.from_exception_data(title, problems, hide_input=True)
    return cleaned


def _clean(value: Any, at: Location, problems: list[InitErrorDetails]) -> Any:
    kind = type(value)
    if kind is str:
        return value if value.isascii() and "\x00" not in value else _text(value, at, problems)
    if kind is not dict and kind is not list:
        return value
    if len(at) >= MAX_DEPTH:
        _report(problems, at, "too_deep", "The input is nested too deeply (64 levels at most)")
        return None
    if len(value) > MAX_ITEMS:
        _report(problems, at, "too_many_items", "The array or object is too large (10,000 elements at most)")
        return None
    if kind is dict:
        return {
            _clean(key, (*at, "[key]"), problems): _clean(item, (*at, key), problems) for key, item in value.items()
        }
    return [_clean(item, (*at, index), problems) for index, item in enumerate(value)]


def _text(value: str, at: Location, problems: list[InitErrorDetails]) -> str:
    if "\x00" in value:
        _report(problems, at, "nul_character", "NUL characters are not accepted")
    try:
        value.encode()
    except UnicodeEncodeError:
        _report(problems, at, "lone_surrogate", "The text holds half of a surrogate pair")
        return ""
    return unicodedata.normalize("NFC", value)


def _report(problems: list[InitErrorDetails], at: Location, code: LiteralString, message: LiteralString) -> None:
    # Keys are text from outside too: one that cannot be encoded must not break the report about itself.
    location = tuple(part if isinstance(part, int) else part.encode(errors="replace").decode() for part in at)
    problems.append(InitErrorDetails(type=PydanticCustomError(code, message), loc=location, input=None))
