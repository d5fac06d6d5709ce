"""Activity: who did what in the tenant, read from the trails of both planes."""

from pathlib import Path

from planner.activity.permissions import ACTIVITY
from planner.activity.router import router
from tenantry.module import Module

module = Module("activity", permissions=ACTIVITY, routers=(router,), folder=Path(__file__).parent)

__all__ = ["module"]
