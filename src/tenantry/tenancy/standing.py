"""Whether somebody still may what they are about to do: asked again in the transaction that does it.

What a request was admitted with is up to a second old; a role that was lost meanwhile gives nothing away.
"""

from __future__ import annotations

from tenantry.database import UnitOfWork
from tenantry.tenancy.acting import Acting, require_rank
from tenantry.tenancy.errors import NotAMember
from tenantry.tenancy.repository import ROLE_OF_MEMBER
from tenantry.tenancy.roles import Role


async def require_standing(uow: UnitOfWork, acting: Acting, role: Role) -> None:
    """Hold the acting person's membership and refuse to give a role above it.

    Raises `NotAMember` and `RoleAboveOwn`.
    """
    own: str | None = acting.role
    if acting.member_id is not None:
        own = await uow.value(ROLE_OF_MEMBER, tenant_id=acting.tenant_id, user_id=acting.member_id)
    if own is None:
        raise NotAMember
    require_rank(own, role)
