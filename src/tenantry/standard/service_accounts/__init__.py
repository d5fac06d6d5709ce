"""Service accounts: members that are no person. They hold a role, own what they create, and act by their keys."""

from pathlib import Path

from tenantry.module import Module
from tenantry.standard.service_accounts.permissions import SERVICE_ACCOUNTS_PERMISSIONS
from tenantry.standard.service_accounts.router import service_accounts, taking_over
from tenantry.standard.service_accounts.service import ServiceAccountService

module = Module(
    "service-accounts",
    permissions=SERVICE_ACCOUNTS_PERMISSIONS,
    routers=(service_accounts, taking_over),
    folder=Path(__file__).parent,
)

__all__ = ["ServiceAccountService", "module"]
