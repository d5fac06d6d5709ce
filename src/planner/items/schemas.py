"""What comes in and goes out."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from tenantry.http import MaxLen
from tenantry.resources import CreateSchema, ReadSchema, partial


class ItemCreate(CreateSchema):
    """A new item."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    description: Annotated[str, MaxLen(500)] | None = None
    price_cents: int = Field(ge=1, le=10_000_000)
    """Money is integer minor units."""


@partial
class ItemUpdate(ItemCreate):
    """A change of an item."""


class ItemRead(ReadSchema):
    """An item."""

    name: str
    description: str | None
    price_cents: int


class ItemListItem(ItemRead):
    """An item in a list."""
