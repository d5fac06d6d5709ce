"""Members: who belongs to a tenant, in which role."""

from pathlib import Path

from tenantry.module import Module
from tenantry.standard.members.permissions import MEMBERS_PERMISSIONS
from tenantry.standard.members.router import router

module = Module("members", permissions=MEMBERS_PERMISSIONS, routers=(router,), folder=Path(__file__).parent)

__all__ = ["module"]
