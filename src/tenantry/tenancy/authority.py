"""The port by which tenancy asks who may give which role: roles of a tenant's own are permission sets, and what those
mean only access knows, which is above."""

from __future__ import annotations

from typing import Protocol

from tenantry.database import UnitOfWork
from tenantry.tenancy.actor import Acting


class RoleAuthority(Protocol):
    """Knows the roles of a tenant; implemented by `tenantry.access.roles`."""

    async def require_may_give(self, uow: UnitOfWork, acting: Acting, *roles: str) -> None:
        """Refuse to give, change or take a role that holds more than whoever acts.

        What the acting person holds is read again in the transaction of `uow` and held until its end. A transaction
        that locks rows with roles calls `share_holdings` before it does. Raises `NotAMember` (403), `UnknownRole` (422)
        and `RoleAboveOwn` (403).
        """
        ...
