"""Projects: what teams plan, with an owner and, in a later release, an approval workflow."""

from pathlib import Path

from planner.projects.models import Project
from planner.projects.permissions import PROJECTS
from planner.projects.router import router, transfers
from planner.projects.service import PROJECT_ACCESS
from tenantry.module import Module

module = Module(
    "projects", models=(Project,), permissions=PROJECTS, routers=(router, transfers), folder=Path(__file__).parent
)

__all__ = ["PROJECT_ACCESS", "Project", "module"]
