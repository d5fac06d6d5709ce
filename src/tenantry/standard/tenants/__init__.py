"""Tenants: founding them, and what their members see and change."""

from pathlib import Path

from tenantry.module import Module
from tenantry.standard.tenants.permissions import TENANT_PERMISSIONS
from tenantry.standard.tenants.repository import ALL_TENANTS
from tenantry.standard.tenants.router import current_tenant, own_tenants
from tenantry.standard.tenants.schemas import TenantRead
from tenantry.standard.tenants.service import Founding, PreparePlacement

module = Module(
    "tenants",
    permissions=TENANT_PERMISSIONS,
    routers=(
        own_tenants,
        current_tenant,
    ),
    folder=Path(__file__).parent,
)

__all__ = ["ALL_TENANTS", "Founding", "PreparePlacement", "TenantRead", "module"]
