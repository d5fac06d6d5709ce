"""The rules of comments: those of every resource."""

from planner.comments.models import Comment
from planner.comments.schemas import CommentListItem, CommentRead
from planner.tasks import TASK_ACCESS
from tenantry.access import Parent, ResourceAccess
from tenantry.resources import ResourceDefinition, ResourceService


class CommentService(ResourceService):
    """Comments of one tenant."""

    resource = ResourceDefinition(
        access=ResourceAccess("comments", Comment, "comment", owner="owner_id", parent=Parent(TASK_ACCESS, "task_id")),
        read=CommentRead,
        list_item=CommentListItem,
    )
