"""What comes in and goes out."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from tenantry.http import RichText
from tenantry.resources import CreateSchema, ReadSchema, partial


class CommentCreate(CreateSchema):
    """A new comment on a task."""

    body: Annotated[str, Field(min_length=1), RichText(10_000)]


@partial
class CommentUpdate(CommentCreate):
    """A change of a comment."""


class CommentRead(ReadSchema):
    """A comment."""

    task_id: UUID
    body: str
    owner_id: UUID
    """Who wrote it."""


class CommentListItem(CommentRead):
    """A comment in a list."""
