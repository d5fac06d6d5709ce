"""The list of invitations, compiled once."""

from __future__ import annotations

from sqlalchemy import Uuid, bindparam, select

from tenantry.query import RowList
from tenantry.tenancy import INVITATION_COLUMNS, IS_OPEN, Invitation

invitations = Invitation.__table__.c

_TENANT = bindparam("tenant_id", type_=Uuid)

INVITATIONS = RowList(
    select(*INVITATION_COLUMNS).where(invitations.tenant_id == _TENANT, IS_OPEN),
    filters={"role", "expires_at"},
    sorts={"created_at", "expires_at"},
    search={"email"},
    default_sort="-created_at",
)
