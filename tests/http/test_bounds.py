from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from tenantry.http import (
    AwareDateTime,
    Email,
    InputSchema,
    MaxLen,
    Password,
    RichText,
    SafeJson,
    ShortText,
    Slug,
    partial,
    unbounded_strings,
)


class Colour(StrEnum):
    RED = "red"


class Bounded(InputSchema):
    a: ShortText
    b: Annotated[str, MaxLen(5)] | None = None
    c: Literal["x", "y"]
    d: Colour
    e: UUID
    f: date
    g: AwareDateTime
    h: Email
    i: Slug
    j: Password
    k: Annotated[str, RichText(5)]
    m: SafeJson
    n: list[ShortText]
    o: dict[str, int]
    p: int | float | bool


class Node(BaseModel):
    name: str
    children: list["Node"] = Field(default_factory=list)


class Holder(BaseModel):
    node: Node


class Loose(BaseModel):
    plain: str
    maybe: str | None = None
    tags: list[str]
    pair: tuple[str, int]
    labels: dict[str, str]
    node: Node
    holder: Holder
    either: ShortText | list[str]
    anything: Any = None


def test_every_type_of_ours_is_bounded():
    assert unbounded_strings(Bounded) == []
    assert unbounded_strings(partial(Bounded)) == []


def test_every_open_end_is_found_with_its_place():
    assert unbounded_strings(Loose) == [
        "/either/*",
        "/holder/node/name",
        "/labels/*",
        "/maybe",
        "/node/name",
        "/pair/0",
        "/plain",
        "/tags/*",
    ]
