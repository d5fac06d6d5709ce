"""Comments on tasks."""

from __future__ import annotations

import uuid

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from tenantry.database import tenant_reference
from tenantry.resources import Owned, SoftDeletes, TenantModel


class Comment(TenantModel, Owned, SoftDeletes):
    """A remark on a task; its owner is its author."""

    __tablename__ = "comments"
    __table_args__ = (
        tenant_reference("task_id", "tasks", ondelete="CASCADE"),
        Index("ix_comments_task", "tenant_id", "task_id", "created_at", "id"),
    )

    task_id: Mapped[uuid.UUID]
    body: Mapped[str] = mapped_column(Text)
