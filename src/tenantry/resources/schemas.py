"""The schema bases of a resource: what comes in is strict and bounded, what goes out is read from rows."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from tenantry.http import InputSchema, OutputSchema


class CreateSchema(InputSchema):
    """Fields of a new record: unknown ones are refused, every string is bounded."""


class UpdateSchema(InputSchema):
    """Fields of a change, all optional; make it with ``partial(ItemCreate)``."""


class ReadSchema(OutputSchema):
    """A record as clients see it."""

    id: UUID
    created_at: datetime
    updated_at: datetime
    version: int
