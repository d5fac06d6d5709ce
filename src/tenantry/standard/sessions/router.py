"""One's own sessions over HTTP."""

from __future__ import annotations

from uuid import UUID

from fastapi import Depends

from tenantry.http import api_router
from tenantry.identity import (
    CurrentCaller,
    CurrentIdentity,
    CurrentIdentityService,
    EndReason,
    SessionNotFound,
    signed_in,
)
from tenantry.standard.sessions.schemas import SessionList, SessionRead

router = api_router("/me/sessions", tags=["me"], dependencies=[Depends(signed_in)])


@router.get("", operation_id="me_sessions_list")
async def list_sessions(identity: CurrentIdentity, service: CurrentIdentityService) -> SessionList:
    """One's own live sessions."""
    rows = await service.sessions.live_of(identity.user_id)
    return SessionList(items=[SessionRead(is_current=row["id"] == identity.session_id, **row) for row in rows])


@router.delete("/{session_id}", status_code=204, operation_id="me_sessions_delete")
async def end_session(
    session_id: UUID, identity: CurrentIdentity, service: CurrentIdentityService, caller: CurrentCaller
) -> None:
    """End one of one's own sessions; its access token stops working at once."""
    if not await service.sessions.end(identity.user_id, session_id, EndReason.REVOKED, caller):
        raise SessionNotFound
