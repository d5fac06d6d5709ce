"""Tasks: the work in projects."""

from pathlib import Path

from planner.tasks.models import Task
from planner.tasks.permissions import TASKS
from planner.tasks.router import router
from planner.tasks.service import TASK_ACCESS
from tenantry.module import Module

module = Module("tasks", models=(Task,), permissions=TASKS, routers=(router,), folder=Path(__file__).parent)

__all__ = ["TASK_ACCESS", "Task", "module"]
