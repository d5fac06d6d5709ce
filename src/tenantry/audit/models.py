"""The trail: one table in each plane, append-only for the roles that write it."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Index, String, func
from sqlalchemy.orm import Mapped, mapped_column

from tenantry.database import ControlTable, TenantTable, Timestamp
from tenantry.database.row_security import OF_TENANT, Policy
from tenantry.kernel import new_id


class AuditColumns:
    """What a line of the trail says, in either plane."""

    at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    actor_kind: Mapped[str] = mapped_column(String(20))
    actor_id: Mapped[uuid.UUID | None]
    action: Mapped[str] = mapped_column(String(100))
    resource_type: Mapped[str] = mapped_column(String(60))
    resource_id: Mapped[uuid.UUID | None]
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]
    request_id: Mapped[str | None] = mapped_column(String(128))


class AuditEntry(AuditColumns, TenantTable):
    """What was done to a tenant's rows, by whom. Ids sort by time, so the newest lines are found by the key."""

    __tablename__ = "audit_entries"
    __privileges__: ClassVar[dict[str, str]] = {"tenantry_app": "SELECT, INSERT"}
    __table_args__ = (Index(None, "tenant_id", "resource_id"),)


class ControlAuditEntry(AuditColumns, ControlTable):
    """What was done in the control plane: sign-ins, members, tenants. Without a tenant where it concerns none."""

    __tablename__ = "audit_entries"
    __privileges__: ClassVar[dict[str, str]] = {
        "tenantry_control": "SELECT, INSERT",
        "tenantry_platform": "SELECT, INSERT",
    }
    __policies__: ClassVar[tuple[Policy, ...]] = (
        Policy("reads_own_tenant", "tenantry_control", using=OF_TENANT, command="SELECT"),
        Policy("appends", "tenantry_control", using="true", command="INSERT"),
        Policy("platform_rows", "tenantry_platform", using="true"),
    )
    __table_args__ = (Index(None, "tenant_id", "id"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    tenant_id: Mapped[uuid.UUID | None]
