"""Comments: what is said about tasks."""

from pathlib import Path

from planner.comments.models import Comment
from planner.comments.permissions import COMMENTS
from planner.comments.router import router
from tenantry.module import Module

module = Module("comments", models=(Comment,), permissions=COMMENTS, routers=(router,), folder=Path(__file__).parent)

__all__ = ["module"]
