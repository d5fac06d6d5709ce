"""Reading a JSON body: media type first, then one pass from bytes to model.

Pydantic's own parser does it all: it is faster than `json.loads` and survives what makes that crash (depth 100,000,
an integer of 5,000 digits, invalid UTF-8). Of duplicate members the last one counts, as in every common parser.
"""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from tenantry.http.errors import MalformedJson, UnsupportedMediaType
from tenantry.http.field_errors import field_errors
from tenantry.kernel import FieldError, InvalidInput

M = TypeVar("M", bound=BaseModel)

_UTF8 = frozenset({"utf-8", "utf8", "us-ascii"})


def read_json(raw: bytes, model: type[M]) -> M:
    """Return the body as a `model`.

    Raises `MalformedJson` (422) where it is not JSON at all or empty, `InvalidInput` (422) where it does not fit.

    >>> class Item(BaseModel):
    ...     name: str
    >>> read_json(b'{"name": "Desk"}', Item)
    Item(name='Desk')
    >>> read_json(b"", Item)
    Traceback (most recent call last):
    ...
    tenantry.http.errors.MalformedJson: The body is empty.
    """
    if not raw.strip():
        raise MalformedJson("The body is empty.", errors=[FieldError("", "A JSON body is required", "missing")])
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        problems = field_errors(error)
        raise _refusal(problems) from None  # the cause would carry the input into the log


def _refusal(problems: tuple[FieldError, ...]) -> InvalidInput:
    if len(problems) == 1 and problems[0].code == "json_invalid":
        return MalformedJson(errors=problems)
    return InvalidInput(errors=problems)


def require_json(content_type: str | None) -> None:
    """Raise `UnsupportedMediaType` (415) unless a header ``Content-Type`` announces JSON in UTF-8.

    >>> require_json("application/merge-patch+json; charset=UTF-8")
    """
    if not is_json(content_type):
        raise UnsupportedMediaType


def is_json(content_type: str | None) -> bool:
    """Say whether a ``Content-Type`` is JSON in UTF-8.

    >>> is_json("application/json"), is_json("application/json; charset=utf-16"), is_json("text/json"), is_json(None)
    (True, False, False, False)
    """
    if content_type == "application/json":  # almost every request
        return True
    media, _, parameters = (content_type or "").lower().partition(";")
    media = media.strip()
    is_media = media == "application/json" or (media.startswith("application/") and media.endswith("+json"))
    return is_media and all(_is_utf8(parameter) for parameter in parameters.split(";"))


def _is_utf8(parameter: str) -> bool:
    name, _, value = parameter.partition("=")
    return name.strip() != "charset" or value.strip().strip('"') in _UTF8
