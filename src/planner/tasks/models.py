"""Tasks of projects."""

from __future__ import annotations

import uuid
from datetime import date
from typing import ClassVar, Literal, get_args

from sqlalchemy import CheckConstraint, Index, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from planner.tasks.errors import ProjectOfTaskNotFound
from tenantry.database import tenant_reference
from tenantry.kernel import TenantryError
from tenantry.resources import Owned, SoftDeletes, TenantModel, newest_first

TaskStatus = Literal["todo", "doing", "done"]
"""The states of a task, for the column as for the API."""


class Task(TenantModel, Owned, SoftDeletes):
    """A piece of work in a project; it belongs to whoever created it."""

    __tablename__ = "tasks"
    __table_args__ = (
        tenant_reference("project_id", "projects", ondelete="CASCADE"),
        CheckConstraint(f"status IN {get_args(TaskStatus)}", name="status_known"),
        CheckConstraint("priority BETWEEN 0 AND 9", name="priority_range"),
        newest_first("tasks"),
        Index("ix_tasks_project", "tenant_id", "project_id", "created_at", "id"),
        Index("ix_tasks_assignee", "tenant_id", "assignee_id"),
    )
    __errors__: ClassVar[dict[str, type[TenantryError]]] = {"fk_tasks_tenant_id_project_id": ProjectOfTaskNotFound}

    project_id: Mapped[uuid.UUID]
    title: Mapped[str] = mapped_column(String(200, collation="C"))
    description: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(10), server_default="todo")
    assignee_id: Mapped[uuid.UUID | None]
    priority: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    due_on: Mapped[date | None]
