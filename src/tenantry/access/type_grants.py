"""Grants on whole resources, as they are remembered between requests: they change what a role reaches, not which rows.

Only tenants that have any are asked for them (`ANY_TYPE` in `TenantFacts.granted`).
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Uuid, bindparam, select

from tenantry.access.grant_facts import GrantFacts
from tenantry.access.models import TypeGrant
from tenantry.database import Statement, UnitOfWork

ANY_TYPE = "*"
"""The mark in `TenantFacts.granted` of a tenant that has grants on whole resources."""

_COLUMNS = TypeGrant.__table__.c
_OF_TENANT = Statement(
    select(_COLUMNS.id, _COLUMNS.subject_id, _COLUMNS.action, _COLUMNS.effect, _COLUMNS.expires_at).where(
        _COLUMNS.tenant_id == bindparam("tenant_id", type_=Uuid)
    )
)


async def read_type_grants(uow: UnitOfWork, tenant_id: UUID) -> tuple[GrantFacts, ...]:
    """Return the tenant's grants on whole resources as they are now.

    Expired ones too, which are told apart by the clock of the request: facts outlive moments.
    """
    return tuple(GrantFacts.of(row) for row in await uow.all(_OF_TENANT, tenant_id=tenant_id))


def type_grants_key(tenant_id: UUID) -> str:
    """Return the key of the tenant's grants on whole resources."""
    return f"typegrants:{tenant_id}"
