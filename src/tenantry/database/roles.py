"""The five database roles. Each has a pool of its own; none may become another; none has more than it needs."""

from __future__ import annotations

from enum import StrEnum


class DatabaseRole(StrEnum):
    """A login role of PostgreSQL; the value is its name in the server."""

    OWNER = "tenantry_owner"
    """Owns schemas and tables. Migrations only; never in a serving process."""
    CONTROL = "tenantry_control"
    """Control tables only: what makes a principal."""
    APP = "tenantry_app"
    """Tenant tables under row security; nothing of the control plane."""
    WORKER = "tenantry_worker"
    """Jobs, outbox and schedules across tenants; no tenant tables."""
    PLATFORM = "tenantry_platform"
    """Platform administration, audited."""


SERVING_ROLES = (DatabaseRole.APP, DatabaseRole.CONTROL, DatabaseRole.WORKER, DatabaseRole.PLATFORM)
"""Roles that a running application connects as; start-up refuses any that could bypass row security."""
