"""Platform administration: every tenant, and nothing that is inside of one."""

from pathlib import Path

from tenantry.module import Module
from tenantry.standard.platform.router import router
from tenantry.standard.platform.service import PlatformCall

module = Module("platform", routers=(router,), folder=Path(__file__).parent)

__all__ = ["PlatformCall", "module"]
