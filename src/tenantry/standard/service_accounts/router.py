"""Service accounts over HTTP."""

from __future__ import annotations

from tenantry.resources import ResourceRouter
from tenantry.standard.service_accounts.schemas import ServiceAccountCreate, ServiceAccountUpdate
from tenantry.standard.service_accounts.service import ServiceAccountService

service_accounts = ResourceRouter(
    ServiceAccountService,
    "/service-accounts",
    create=ServiceAccountCreate,
    update=ServiceAccountUpdate,
    filters={"role", "created_at"},
    sort={"name", "created_at"},
    default_sort="name",
    search={"name"},
    id_in_path="account_id",
    tag="service accounts",
)
