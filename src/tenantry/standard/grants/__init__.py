"""Grants: a subject may, or may not, do an action: on one record with what lies below it, or on a whole resource."""

from pathlib import Path

from tenantry.module import Module
from tenantry.standard.grants.permissions import GRANTS_PERMISSIONS
from tenantry.standard.grants.router import record_grants_router, type_grants
from tenantry.standard.grants.service import GrantService, TypeGrantService, by_name

module = Module("grants", permissions=GRANTS_PERMISSIONS, routers=(type_grants,), folder=Path(__file__).parent)

__all__ = ["GrantService", "TypeGrantService", "by_name", "module", "record_grants_router"]
