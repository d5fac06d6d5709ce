"""What grants take and give over HTTP: on a record and on a whole resource, the same but for what they are on."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from tenantry.access import MAX_PERMISSION, Effect, SubjectType
from tenantry.http import AwareDateTime, InputSchema, OutputSchema

ActionName = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]*:(\*|[a-z][a-z0-9_-]*)$", max_length=MAX_PERMISSION)
]
"""A permission, or all verbs of a resource: ``projects:update``, ``projects:*``."""


class GrantCreate(InputSchema):
    """A subject may, or may not, do an action."""

    subject_type: SubjectType
    subject_id: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    """The subject's id; for a role also its name."""
    action: ActionName
    effect: Effect = Effect.ALLOW
    expires_at: AwareDateTime | None = None
    """When the grant ends by itself."""


class TypeGrantCreate(GrantCreate):
    """A grant on every record of a resource."""

    resource_type: Annotated[str, Field(min_length=1, max_length=60)]
    """`project` or `projects`."""


class TypeGrantRead(OutputSchema):
    """A grant on every record of a resource."""

    id: UUID
    resource_type: str
    subject_type: SubjectType
    subject_id: UUID
    action: str
    effect: Effect
    expires_at: datetime | None
    created_by: UUID | None
    created_at: datetime


class GrantRead(TypeGrantRead):
    """A grant on one record."""

    record_id: UUID
