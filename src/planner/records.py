"""The records of Planner: what is counted, and what lines of the trail are about."""

from __future__ import annotations

from planner.comments.service import CommentService
from planner.items.service import ItemService
from planner.projects.service import ProjectService
from planner.tasks.service import TaskService

RECORDS = tuple(service.resource.access for service in (ProjectService, TaskService, CommentService, ItemService))
"""The rules of access to them, in this order."""
