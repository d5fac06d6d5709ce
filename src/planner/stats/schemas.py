"""What goes out."""

from __future__ import annotations

from pydantic import BaseModel


class Stats(BaseModel):
    """How much there is in the tenant, of what the caller sees."""

    projects: dict[str, int]
    """Number of projects by status."""
    tasks: dict[str, int]
    """Number of tasks by status."""
    open_tasks: int
    """Tasks that are not done."""
    items: int
    comments: int
    members: int
