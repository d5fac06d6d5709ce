"""What comes in and goes out."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import Field

from planner.tasks.models import TaskStatus
from tenantry.http import CalendarDate, RichText, ShortText
from tenantry.resources import CreateSchema, ReadSchema, partial


class TaskCreate(CreateSchema):
    """A new task in a project."""

    title: ShortText
    description: Annotated[str, RichText(20_000)] | None = None
    status: TaskStatus = "todo"
    assignee_id: UUID | None = None
    priority: int = Field(default=0, ge=0, le=9)
    """0 is the least urgent."""
    due_on: CalendarDate | None = None


@partial
class TaskUpdate(TaskCreate):
    """A change of a task; `project_id` moves it to another project of the tenant."""

    project_id: UUID


class TaskRead(ReadSchema):
    """A task."""

    project_id: UUID
    title: str
    description: str | None
    status: TaskStatus
    assignee_id: UUID | None
    priority: int
    owner_id: UUID
    due_on: date | None


class TaskListItem(TaskRead):
    """A task in a list."""
