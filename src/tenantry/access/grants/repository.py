"""Every statement about grants, compiled once."""

from __future__ import annotations

from sqlalchemy import Uuid, bindparam, select

from tenantry.access.models import TypeGrant
from tenantry.database import Statement

type_grants = TypeGrant.__table__.c

_TENANT = bindparam("tenant_id", type_=Uuid)

# Grants on whole resources, control plane

TYPE_GRANTS_IN_FORCE = Statement(
    select(
        type_grants.id, type_grants.subject_id, type_grants.action, type_grants.effect, type_grants.expires_at
    ).where(type_grants.tenant_id == _TENANT)
)
"""All of a tenant. Those that have expired are told apart by the clock of the request: facts outlive moments."""
