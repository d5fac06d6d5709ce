"""HTTP to service: tasks live under their project, and are listed across projects too."""

from planner.tasks.schemas import TaskCreate, TaskUpdate
from planner.tasks.service import TaskService
from tenantry.resources import STANDARD, Operation, ResourceRouter

router = ResourceRouter(
    TaskService,
    "/tasks",
    under="/projects/{id}/tasks",
    create=TaskCreate,
    update=TaskUpdate,
    operations=STANDARD | {Operation.RESTORE},
    filters={"project_id", "assignee_id", "owner_id", "status", "priority", "due_on", "created_at"},
    sort={"created_at", "title", "priority", "due_on"},
    search={"title", "description"},
)
