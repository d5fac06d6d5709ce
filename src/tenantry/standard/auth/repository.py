"""Every statement of signing in, verifying an address and setting a password, compiled once."""

from __future__ import annotations

from sqlalchemy import bindparam, exists, func, select, update

from tenantry.database import Statement, Timestamp, given
from tenantry.identity import Session, User

users = User.__table__.c
sessions = Session.__table__.c

_NOW = bindparam("now", type_=Timestamp)
_verification = (
    update(User)
    .where(users.id == bindparam("user_id"))
    .values(email_verified_at=func.coalesce(users.email_verified_at, _NOW), updated_at=_NOW, version=users.version + 1)
)

CREDENTIALS = Statement(
    select(
        users.id,
        users.email,
        users.is_active,
        users.password_hash,
        exists()
        .where(
            sessions.user_id == users.id,
            sessions.address == bindparam("address"),
            sessions.created_at > bindparam("known_since", type_=Timestamp),
        )
        .label("is_known_address"),
    ).where(users.email_key == bindparam("email_key"))
)
"""What signing in needs to know of an account, and whether it was used from the caller's address before."""

HOLD_CREDENTIALS = Statement(
    select(users.id)
    .where(users.id == bindparam("id"), users.is_active, users.password_hash == bindparam("password_hash"))
    .with_for_update(read=True)
)
"""Holds the password that was just verified until the session is written: a change of it that comes in between either
waits, and ends the session with the others, or is seen here."""

SET_PASSWORD = Statement(_verification.values(given("password_hash")))
"""The new password of somebody who has read mail at the address, which is thereby verified."""

UPGRADE_HASH = Statement(
    update(User)
    .where(users.id == bindparam("user_id"), users.password_hash == bindparam("old_hash"))
    .values(password_hash=bindparam("new_hash"))
)

VERIFY_EMAIL = Statement(_verification)
