"""The statements that principals are made by; those of roles, keys and grants stand in their packages."""

from __future__ import annotations

from sqlalchemy import Uuid, bindparam, select

from tenantry.access.models import TypeGrant
from tenantry.database import Statement

_COLUMNS = TypeGrant.__table__.c

TYPE_GRANTS_OF_TENANT = Statement(
    select(_COLUMNS.id, _COLUMNS.subject_id, _COLUMNS.action, _COLUMNS.effect, _COLUMNS.expires_at).where(
        _COLUMNS.tenant_id == bindparam("tenant_id", type_=Uuid)
    )
)
"""All of a tenant. Those that have expired are told apart by the clock of the request: facts outlive moments."""
