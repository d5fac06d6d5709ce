"""The port by which tenancy asks who may give which role: roles of a tenant's own are permission sets, and what those
mean only access knows, which is above."""

from __future__ import annotations

from typing import Protocol

from tenantry.database import UnitOfWork
from tenantry.tenancy.actor import Acting


class RoleAuthority(Protocol):
    """Knows the roles of a tenant; implemented by `tenantry.access.roles`."""

    async def require_may_give(self, uow: UnitOfWork, acting: Acting, *roles: str) -> None:
        """Refuse to give a role that holds more than whoever acts.

        What the acting person holds is read again in the transaction of `uow` and held until its end. A transaction
        that locks rows with roles calls `lock_roles_shared` before it does. Raises `NotAMember` (403), `UnknownRole`
        (422) and `RoleAboveOwn` (403).
        """
        ...

    async def require_may_take(self, uow: UnitOfWork, acting: Acting, *roles: str) -> None:
        """Refuse to take roles from somebody, or to touch whoever has them, if they hold more than whoever acts.

        As `require_may_give`, but a role that is no more holds nothing: what is left of it can always be cleared away.
        """
        ...
