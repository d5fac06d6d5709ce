"""The rules of tasks: an assignee is a member, and a task moves only to a project that its mover can see."""

from __future__ import annotations

from typing import Any

from planner.projects import PROJECT_ACCESS
from planner.tasks.errors import AssigneeNotMember, ProjectOfTaskNotFound
from planner.tasks.models import Task
from planner.tasks.schemas import TaskListItem, TaskRead
from tenantry.access import Parent, ResourceAccess
from tenantry.resources import ResourceDefinition, ResourceService

TASK_ACCESS = ResourceAccess(
    "tasks", Task, "task", owner="owner_id", parent=Parent(PROJECT_ACCESS, "project_id"), grantable=True
)


class TaskService(ResourceService):
    """Tasks of one tenant."""

    resource = ResourceDefinition(access=TASK_ACCESS, read=TaskRead, list_item=TaskListItem)

    async def values(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Check who is assigned and where the task moves to. Raises `AssigneeNotMember`, `ProjectOfTaskNotFound`."""
        assignee = fields.get("assignee_id")
        if assignee is not None and not await self.runtime.members.is_member(self.principal.tenant.id, assignee):
            raise AssigneeNotMember.at("/assignee_id", "This user is not a member of the tenant.", "not_a_member")
        project = fields.get("project_id")
        if project is not None and not await self.records.is_parent_visible(project):
            raise ProjectOfTaskNotFound.at("/project_id", "There is no such project.", "not_found")
        return fields
