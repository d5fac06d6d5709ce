"""What goes out."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from tenantry.http import OutputSchema
from tenantry.resources import PageFacts


class ActivityEntry(OutputSchema):
    """One line of the trail."""

    id: UUID
    at: datetime
    actor_kind: str
    actor_id: UUID | None
    action: str
    resource_type: str
    resource_id: UUID | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    request_id: str | None


class ActivityPage(BaseModel):
    """A page of the trail, newest first."""

    items: list[ActivityEntry]
    page: PageFacts
