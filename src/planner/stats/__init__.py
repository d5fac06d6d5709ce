"""Statistics: how much there is in a tenant."""

from pathlib import Path

from planner.stats.permissions import STATS
from planner.stats.router import router
from tenantry.module import Module

module = Module("stats", permissions=STATS, routers=(router,), folder=Path(__file__).parent)

__all__ = ["module"]
