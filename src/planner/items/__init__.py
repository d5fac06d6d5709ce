"""Items: the smallest complete module, and the example of the README."""

from pathlib import Path

from planner.items.models import Item
from planner.items.permissions import ITEMS
from planner.items.router import router
from tenantry.module import Module

module = Module("items", models=(Item,), permissions=ITEMS, routers=(router,), folder=Path(__file__).parent)

__all__ = ["module"]
