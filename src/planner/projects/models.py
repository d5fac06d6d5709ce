"""Projects and their states."""

from __future__ import annotations

from datetime import date
from typing import Literal, get_args

from sqlalchemy import CheckConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from tenantry.resources import Owned, SoftDeletes, TenantModel, newest_first

ProjectStatus = Literal[
    "draft", "submitted", "approved", "rejected", "in_progress", "on_hold", "completed", "cancelled", "archived"
]
"""The states of a project, for the column as for the API."""
DRAFT: ProjectStatus = "draft"


class Project(TenantModel, Owned, SoftDeletes):
    """A project. Its status starts as a draft and is never written directly."""

    __tablename__ = "projects"
    __table_args__ = (
        CheckConstraint(f"status IN {get_args(ProjectStatus)}", name="status_known"),
        CheckConstraint("budget_cents >= 0", name="budget_not_negative"),
        newest_first("projects"),
        Index("ix_projects_status", "tenant_id", "status"),
    )

    name: Mapped[str] = mapped_column(String(200, collation="C"))
    description: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(20), server_default=DRAFT)
    due_on: Mapped[date | None]
    budget_cents: Mapped[int | None]
