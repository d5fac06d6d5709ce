"""The two response styles: *plain* (the thing itself) and *envelope* (`{success, title, content}`).

The content is bytes that PostgreSQL or Pydantic made: wrapping is concatenation, nothing is parsed again.
"""

from __future__ import annotations

import json
import re
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, create_model
from starlette.responses import Response

T = TypeVar("T")


class ResponseStyle(StrEnum):
    """How an application answers, chosen once for all of it."""

    PLAIN = "plain"
    ENVELOPE = "envelope"


class Envelope(BaseModel, Generic[T]):
    """A successful answer in envelope style."""

    model_config = ConfigDict(frozen=True)

    success: Literal[True]
    title: str
    content: T


class Deleted(BaseModel):
    """What was deleted."""

    id: UUID


@cache
def envelope_of(model: Any) -> type[BaseModel]:
    """Return the model of an envelope around `model` (a model or any type that Pydantic knows), for OpenAPI.

    A class of its own, because the name is that of the generated clients: ``ItemReadEnvelope``.

    >>> envelope_of(Deleted).__name__, envelope_of(list[Deleted]).__name__
    ('DeletedEnvelope', 'listDeletedEnvelope')
    """
    name = re.sub(r"\W+", "", _type_name(model)) + "Envelope"
    envelope: type[BaseModel] = create_model(
        name, __base__=Envelope[model], __module__=getattr(model, "__module__", __name__)
    )
    return envelope


def answer_model(style: ResponseStyle, model: Any) -> Any:
    """Return what a route declares as its answer: `model`, or the envelope around it."""
    return envelope_of(model) if style is ResponseStyle.ENVELOPE else model


def wrap(style: ResponseStyle, title: str, body: bytes) -> bytes:
    """Return the body to send for the JSON `body`; `title` says what was done.

    >>> wrap(ResponseStyle.ENVELOPE, "Item", b'{"id":1}')
    b'{"success":true,"title":"Item","content":{"id":1}}'
    >>> wrap(ResponseStyle.PLAIN, "Item", b'{"id":1}')
    b'{"id":1}'
    """
    if style is ResponseStyle.PLAIN:
        return body
    return b"".join((_opening(title), body, b"}"))


def deleted_status(style: ResponseStyle) -> int:
    """Return the status of a successful DELETE: 204 without a body, or 200 with the envelope of `Deleted`."""
    return 204 if style is ResponseStyle.PLAIN else 200


def deleted_response(style: ResponseStyle, title: str, id: UUID) -> Response:  # noqa: A002 - the member's name
    """Return the answer to a successful DELETE.

    >>> deleted_response(ResponseStyle.PLAIN, "Deleted", UUID(int=1)).status_code
    204
    """
    if style is ResponseStyle.PLAIN:
        return Response(status_code=deleted_status(style))
    body = wrap(style, title, b'{"id":"%s"}' % str(id).encode("ascii"))
    return Response(body, deleted_status(style), media_type="application/json")


@lru_cache(maxsize=1024)
def _opening(title: str) -> bytes:
    return b'{"success":true,"title":%s,"content":' % json.dumps(title).encode("ascii")


def _type_name(model: Any) -> str:
    """Return the name of a type, of a generic one without the modules of its parts."""
    is_plain = isinstance(model, type) and not hasattr(model, "__args__")
    return model.__name__ if is_plain else re.sub(r"[\w.]+\.", "", str(model))
