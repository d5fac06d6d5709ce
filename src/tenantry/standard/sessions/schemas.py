"""What sessions give over HTTP."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from tenantry.http import OutputSchema


class SessionRead(OutputSchema):
    """A sign-in on one device."""

    id: UUID
    is_current: bool = False
    user_agent: str | None
    address: str | None
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    active_tenant_id: UUID | None


class PageInfo(OutputSchema):
    """Where a list goes on."""

    next_cursor: str | None = None
    has_more: bool = False


class SessionList(OutputSchema):
    """The live sessions, the latest used first."""

    items: list[SessionRead]
    page: PageInfo = PageInfo()
