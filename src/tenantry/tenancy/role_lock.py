"""One lock per tenant on who holds what, so that nothing is given by a role that is being changed.

Whoever gives or takes a role shares it; whoever changes what roles and teams mean has it alone. It is the first thing
that a transaction takes: with the rows locked first, one who renames a role and one who gives it would wait for each
other.
"""

from __future__ import annotations

from uuid import UUID

from tenantry.database import UnitOfWork
from tenantry.tenancy.repository import LOCK_ROLES, LOCK_ROLES_SHARED


async def lock_roles_shared(uow: UnitOfWork, tenant_id: UUID) -> None:
    """Let no role and no team of the tenant change its meaning until the end of the transaction."""
    await uow.run(LOCK_ROLES_SHARED, holdings=_key(tenant_id))


async def lock_roles(uow: UnitOfWork, tenant_id: UUID) -> None:
    """Be the only one who changes, gives or takes roles in the tenant until the end of the transaction."""
    await uow.run(LOCK_ROLES, holdings=_key(tenant_id))


def _key(tenant_id: UUID) -> str:
    return f"tenantry.holdings:{tenant_id}"
