"""How failures and headers appear in OpenAPI: one component for the problem object, a reference for each status."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Literal

from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema

from tenantry.http.envelope import ResponseStyle
from tenantry.http.problem import MEDIA_TYPE

_REFERENCE = "#/components/schemas/{model}"
_HEADERS: dict[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": {"description": "How to sign in.", "schema": {"type": "string"}}},
    429: {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}}},
    503: {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}}},
}

VERSIONED: dict[str, Any] = {
    "headers": {"ETag": {"description": "The record's version, for `If-Match`.", "schema": {"type": "string"}}}
}
"""For ``responses={200: VERSIONED}``: the answer has an `ETag`."""

CREATED: dict[str, Any] = {
    "headers": {
        **VERSIONED["headers"],
        "Location": {
            "description": "Where the new record is.",
            "schema": {"type": "string", "format": "uri-reference"},
        },
    }
}
"""For ``responses={201: CREATED}``: the answer has an `ETag` and a `Location`."""


class ProblemField(BaseModel):
    """One thing that is wrong with the input."""

    pointer: str = Field(description="JSON pointer in the body; `?name` in the query, `{name}` in the path.")
    message: str
    code: str


class ProblemDetails(BaseModel):
    """A failure, after RFC 9457."""

    type: str
    title: str
    status: int
    code: str = Field(description="Stable name of the failure, for programs.")
    detail: str
    request_id: str | None
    errors: list[ProblemField] = Field(default_factory=list)


class ProblemEnvelope(BaseModel):
    """A failure in envelope style."""

    success: Literal[False]
    title: str
    error: ProblemDetails


def problem_responses(style: ResponseStyle, *statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what a route passes as `responses=` for the failures it can answer with.

    >>> problem_responses(ResponseStyle.PLAIN, 404)[404]["content"]
    {'application/problem+json': {'schema': {'$ref': '#/components/schemas/ProblemDetails'}}}
    """
    media = MEDIA_TYPE if style is ResponseStyle.PLAIN else "application/json"
    schema = {"$ref": _REFERENCE.format(model=_model(style).__name__)}
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {media: {"schema": schema}},
            **({"headers": _HEADERS[status]} if status in _HEADERS else {}),
        }
        for status in statuses
    }


def fails_with(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what a hand-written route passes as `responses=` for failures that its declaration does not show.

    Not needed for those that follow from its access rule, path, parameters and body. What the answers look like is
    filled in where the style of the application is known.

    >>> fails_with(401)
    {401: {'description': 'Unauthorized'}}
    """
    return {status: {"description": HTTPStatus(status).phrase} for status in statuses}


def problem_components(style: ResponseStyle) -> dict[str, Any]:
    """Return the schemas that `problem_responses` refers to, for `components.schemas` of the document."""
    _, document = models_json_schema([(_model(style), "serialization")], ref_template=_REFERENCE)
    components: dict[str, Any] = document["$defs"]
    return components


def _model(style: ResponseStyle) -> type[BaseModel]:
    return ProblemDetails if style is ResponseStyle.PLAIN else ProblemEnvelope
