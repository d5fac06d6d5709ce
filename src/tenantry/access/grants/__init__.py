"""Grants: a subject may, or may not, do an action: on one record with what lies below it, or on a whole resource."""

from tenantry.access.grants.router import record_grants_router, type_grants_router
from tenantry.access.grants.service import GrantService, by_name

__all__ = [
    "GrantService",
    "by_name",
    "record_grants_router",
    "type_grants_router",
]
