"""What comes in and goes out."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import Field

from planner.projects.models import ProjectStatus
from tenantry.http import CalendarDate, InputSchema, RichText, ShortText
from tenantry.resources import CreateSchema, ReadSchema, partial


class ProjectCreate(CreateSchema):
    """A new project; it belongs to whoever creates it."""

    name: ShortText
    description: Annotated[str, RichText(20_000)] | None = None
    due_on: CalendarDate | None = None
    budget_cents: Annotated[int, Field(ge=0, le=2_000_000_000)] | None = None
    """Only for those who hold `projects:budget`."""


@partial
class ProjectUpdate(ProjectCreate):
    """A change of a project."""


class ProjectRead(ReadSchema):
    """A project."""

    name: str
    description: str | None
    status: ProjectStatus
    owner_id: UUID
    due_on: date | None
    budget_cents: int | None = None
    """Absent for those who do not hold `projects:budget`."""


class ProjectListItem(ProjectRead):
    """A project in a list."""


class Transfer(InputSchema):
    """A new owner for a project."""

    owner_id: UUID
    """A member, or a team."""
