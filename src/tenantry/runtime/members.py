"""The directory port: what a domain service may ask about the people of its tenant."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID


class MemberDirectory(Protocol):
    """Knows who belongs to a tenant; implemented by `tenancy` from cached facts, so that asking is cheap."""

    async def is_member(self, tenant_id: UUID, user_id: UUID) -> bool:
        """Tell whether the user is a member of the tenant now."""
        ...

    async def can_own(self, tenant_id: UUID, subject_id: UUID) -> bool:
        """Tell whether records can be given to somebody: to a member, or to a team of the tenant."""
        ...

    async def count(self, tenant_id: UUID) -> int:
        """Return how many members the tenant has now."""
        ...
