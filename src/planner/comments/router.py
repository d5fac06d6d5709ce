"""HTTP to service: comments are read and written under their task."""

from planner.comments.schemas import CommentCreate, CommentUpdate
from planner.comments.service import CommentService
from tenantry.resources import Operation, ResourceRouter

router = ResourceRouter(
    CommentService,
    "/comments",
    under="/tasks/{id}/comments",
    create=CommentCreate,
    update=CommentUpdate,
    operations={
        Operation.CREATE, Operation.READ, Operation.LIST, Operation.UPDATE, Operation.DELETE, Operation.RESTORE,
    },
    filters={"owner_id", "created_at"},
    search={"body"},
)  # fmt: skip
