"""Tenants: founding them, and what their members see and change."""

from pathlib import Path

from tenantry.module import Module
from tenantry.standard.tenants.permissions import TENANT_PERMISSIONS
from tenantry.standard.tenants.repository import ALL_TENANTS
from tenantry.standard.tenants.router import current_router, own_tenants
from tenantry.standard.tenants.schemas import TenantRead, TenantSchemas, TenantUpdate
from tenantry.standard.tenants.service import Founding, PreparePlacement


def tenant_module(schemas: TenantSchemas) -> Module:
    """Return the module with schemas of an application's own, for ``standard_modules(instead={"tenants": …})``.

    Their further fields are columns that the application gave tenants by `tenantry.database.extend`. Members read
    them; whoever may change the tenant changes those of `update`. Mark a column ``info={"sensitive": True}`` and the
    trail masks it.

    >>> tenant_module(TenantSchemas()).name
    'tenants'
    """
    return Module(
        "tenants",
        permissions=TENANT_PERMISSIONS,
        routers=(own_tenants, current_router(schemas)),
        folder=Path(__file__).parent,
    )


module = tenant_module(TenantSchemas())

__all__ = [
    "ALL_TENANTS",
    "Founding",
    "PreparePlacement",
    "TenantRead",
    "TenantSchemas",
    "TenantUpdate",
    "module",
    "tenant_module",
]
