"""Sessions: started by a sign-in, carried on by refresh tokens, ended by their owner or by a token that comes back."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from tenantry.audit import record
from tenantry.database import Row, UnitOfWork
from tenantry.identity.authenticator import Identity, session_key
from tenantry.identity.caller import Caller
from tenantry.identity.errors import InvalidAccessToken, InvalidRefreshToken
from tenantry.identity.refresh import RefreshToken, RefreshTokens
from tenantry.identity.repository import (
    INSERT_SESSION,
    LOCK_SESSION,
    REVOKE_SESSION,
    REVOKE_SESSIONS,
    ROTATE_SESSION,
    SESSION_BY_ID,
    SESSIONS_OF_USER,
)
from tenantry.identity.settings import IdentitySettings
from tenantry.identity.tokens import AccessTokens, Claims, seconds_of
from tenantry.kernel import TenantId, UserId, new_id
from tenantry.runtime import Runtime

MembershipOf = Callable[[UserId, UUID | str], Awaitable[TenantId]]
"""Checks that a user is an active member of a tenant, named by id or slug, and returns its id; raises its own 403."""


class EndReason(StrEnum):
    """Why a session ended."""

    LOGOUT = "logout"
    REVOKED = "revoked"
    REUSE = "reuse"
    PASSWORD_RESET = "password_reset"  # noqa: S105 - a reason
    DEACTIVATED = "deactivated"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What signing in gives: an access token for the requests, a refresh token for the next pair."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int
    """Seconds until the access token expires."""


class Sessions:
    """The life of sessions. Refusals that change something (a reused token) are committed before they are raised."""

    def __init__(
        self,
        runtime: Runtime,
        settings: IdentitySettings,
        *,
        access: AccessTokens,
        refresh: RefreshTokens,
        membership_of: MembershipOf,
    ) -> None:
        self._clock = runtime.clock
        self._facts = runtime.facts
        self._database = runtime.database
        self._access = access
        self._refresh = refresh
        self._membership_of = membership_of
        self._lifetime = settings.access_minutes * 60
        self._idle = timedelta(days=settings.idle_days)
        self._absolute = timedelta(days=settings.session_days)
        self._grace = timedelta(seconds=settings.grace_seconds)

    async def start(self, uow: UnitOfWork, user_id: UUID, caller: Caller) -> TokenPair:
        """Start a session; the caller has verified who it is for, in this transaction."""
        now = self._clock.now()
        token = self._refresh.make(new_id(), 0)
        row = await uow.exactly_one(
            INSERT_SESSION,
            id=token.session_id,
            user_id=user_id,
            secret_hash=token.hash,
            user_agent=caller.user_agent,
            address=caller.address,
            now=now,
            idle_expires_at=min(now + self._idle, now + self._absolute),
            expires_at=now + self._absolute,
        )
        await record(uow, "sessions.started", resource_type="session", resource_id=token.session_id)
        return self._pair(row, now)

    async def refresh(self, token: str, caller: Caller) -> TokenPair:
        """Return the next pair for a refresh token.

        The token that was just replaced gets the same pair again for a short time, because an answer can be lost and
        tabs race each other. Any other genuine token that comes back was stolen from somebody: the session ends.
        Raises `InvalidRefreshToken`.
        """
        presented = self._refresh.parse(token)
        now = self._clock.now()
        async with caller.work(self._database) as uow:
            row = await self._rotate(uow, presented, now)
        if row is None:
            raise InvalidRefreshToken
        return self._pair(row, now)

    async def switch_tenant(self, identity: Identity, tenant: UUID | str, caller: Caller) -> TokenPair:
        """Return a pair that acts in `tenant` (id or slug) from now on; the session stays the same.

        Raises what `membership_of` raises for somebody who is not a member.
        """
        tenant_id = await self._membership_of(UserId(identity.user_id), tenant)
        now = self._clock.now()
        async with caller.work(self._database, identity.user_id) as uow:
            held = await uow.one(LOCK_SESSION, id=identity.session_id, user_id=identity.user_id)
            if held is None:
                raise InvalidAccessToken
            row = await self._advance(uow, identity.session_id, *held, now=now, tenant_id=tenant_id)
            if row is None:
                raise InvalidAccessToken
            after = {"active_tenant_id": str(tenant_id)}
            subject = identity.session_id
            await record(uow, "sessions.tenant_switched", resource_type="session", resource_id=subject, after=after)
        return self._pair(row, now)

    async def live_of(self, user_id: UUID) -> list[Row]:
        """Return the live sessions of a person, the latest used first, 200 at most."""
        async with Caller().work(self._database, user_id) as uow:
            return await uow.all(SESSIONS_OF_USER, user_id=user_id, now=self._clock.now())

    async def end(self, user_id: UUID, session_id: UUID, reason: EndReason, caller: Caller) -> bool:
        """End a live session of a person; its access tokens stop working at once. False where there is no such one."""
        async with caller.work(self._database, user_id) as uow:
            return await self._end(uow, user_id, session_id, reason)

    async def log_out(self, token: str, caller: Caller) -> None:
        """End the session of a refresh token of any age; ending it again is no error.

        Raises `InvalidRefreshToken` for a token that was never ours.
        """
        presented = self._refresh.parse(token)
        async with caller.work(self._database) as uow:
            session = await uow.one(SESSION_BY_ID, id=presented.session_id, now=self._clock.now())
        if session is None or not self._was_issued(session, presented):
            raise InvalidRefreshToken
        await self.end(session["user_id"], presented.session_id, EndReason.LOGOUT, caller)

    async def end_all(self, uow: UnitOfWork, user_id: UUID, reason: EndReason) -> None:
        """End every session of a user, in the caller's transaction."""
        rows = await uow.all(REVOKE_SESSIONS, owner_id=user_id, reason=reason.value, now=self._clock.now())
        if not rows:
            return
        after = {"reason": reason.value, "sessions": len(rows)}
        await record(uow, "sessions.all_ended", resource_type="user", resource_id=user_id, after=after)
        await self._facts.announce(uow, *(session_key(row["id"]) for row in rows))

    async def _rotate(self, uow: UnitOfWork, presented: RefreshToken, now: datetime) -> Row | None:
        row = await self._advance(uow, presented.session_id, presented.generation, presented.hash, now=now)
        if row is not None:
            return row
        session = await uow.one(SESSION_BY_ID, id=presented.session_id, now=now)
        if session is None or not session["is_live"]:
            return None
        if self._is_repeated(session, presented, now):
            return session
        if presented.generation < session["generation"] and self._was_issued(session, presented):
            await self._end(uow, session["user_id"], presented.session_id, EndReason.REUSE)
        return None

    async def _advance(
        self,
        uow: UnitOfWork,
        session_id: UUID,
        generation: int,
        secret_hash: bytes,
        *,
        now: datetime,
        tenant_id: UUID | None = None,
    ) -> Row | None:
        """Replace the token of this generation and hash by the next one; None if it is not the current one."""
        return await uow.one(
            ROTATE_SESSION,
            session_id=session_id,
            presented_generation=generation,
            presented_hash=secret_hash,
            child_hash=self._refresh.make(session_id, generation + 1).hash,
            now=now,
            idle_until=now + self._idle,
            tenant_id=tenant_id,
        )

    def _is_repeated(self, session: Row, presented: RefreshToken, now: datetime) -> bool:
        """Whether it is the direct parent of the current token, in time, and the answer can still be made."""
        return (
            presented.generation == session["generation"] - 1
            and hmac.compare_digest(session["previous_hash"], presented.hash)
            and now - session["rotated_at"] <= self._grace
            and self._refresh.make(presented.session_id, session["generation"]).hash == session["secret_hash"]
        )

    def _was_issued(self, session: Row, presented: RefreshToken) -> bool:
        """Whether the token was given out here before; by its hash also if the key has changed since."""
        match session["generation"] - presented.generation:
            case 0:
                return hmac.compare_digest(session["secret_hash"], presented.hash)
            case 1:
                return hmac.compare_digest(session["previous_hash"], presented.hash)
            case older:
                return older > 0 and self._refresh.is_genuine(presented)

    async def _end(self, uow: UnitOfWork, user_id: UUID, session_id: UUID, reason: EndReason) -> bool:
        named = {"owner_id": user_id, "session_id": session_id}
        if await uow.one(REVOKE_SESSION, **named, reason=reason.value, now=self._clock.now()) is None:
            return False
        after = {"reason": reason.value}
        await record(uow, "sessions.ended", resource_type="session", resource_id=session_id, after=after)
        await self._facts.announce(uow, session_key(session_id))
        return True

    def _pair(self, row: Row, now: datetime) -> TokenPair:
        """The pair follows from the row, so that a repeated refresh gets not a similar one but the same."""
        issued_at = seconds_of(row["rotated_at"])
        ends_at = min(seconds_of(row["idle_expires_at"]), seconds_of(row["expires_at"]))
        claims = Claims(
            user_id=row["user_id"],
            session_id=row["id"],
            active_tenant_id=row["active_tenant_id"],
            token_id=f"{row['id'].hex}.{row['generation']}",
            issued_at=issued_at,
            expires_at=min(issued_at + self._lifetime, ends_at),
        )
        return TokenPair(
            access_token=self._access.issue(claims),
            refresh_token=self._refresh.make(row["id"], row["generation"]).text,
            expires_in=max(0, claims.expires_at - seconds_of(now)),
        )
