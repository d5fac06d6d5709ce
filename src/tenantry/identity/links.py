"""Links that are mailed: a random token, of which only the hash is kept, good for one use and one purpose."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from tenantry.database import UnitOfWork
from tenantry.identity.repository import INSERT_LINK, USE_LINK, VOID_LINKS

_BYTES = 32


class Purpose(StrEnum):
    """What a link is good for, and nothing else."""

    VERIFY_EMAIL = "verify_email"
    PASSWORD_RESET = "password_reset"  # noqa: S105 - a purpose


async def issue(
    uow: UnitOfWork, purpose: Purpose, *, user_id: UUID, email_key: str, now: datetime, lifetime: timedelta
) -> str:
    """Return a new token, which counts while the user has this address."""
    token = secrets.token_urlsafe(_BYTES)
    await uow.run(
        INSERT_LINK,
        token_hash=_hashed(token),
        purpose=purpose.value,
        user_id=user_id,
        email_key=email_key,
        now=now,
        expires_at=now + lifetime,
    )
    return token


async def use(uow: UnitOfWork, token: str, purpose: Purpose, now: datetime) -> UUID | None:
    """Return whose token it is and use it up; None if it is unknown, used, expired, or meant for something else.

    One conditional UPDATE: of any number of uses at the same time, one succeeds. The other open links of the same user
    and purpose end with it.
    """
    user_id: UUID | None = await uow.value(
        USE_LINK, presented_hash=_hashed(token), expected_purpose=purpose.value, now=now
    )
    if user_id is not None:
        await uow.run(VOID_LINKS, owner_id=user_id, of_purpose=purpose.value, now=now)
    return user_id


def _hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
