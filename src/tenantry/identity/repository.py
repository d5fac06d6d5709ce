"""Every statement of identity, compiled once. Moments are parameters: the clock of the runtime decides about expiry."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BindParameter, Interval, and_, bindparam, delete, exists, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from tenantry.database import Statement, Timestamp
from tenantry.identity.models import OneTimeToken, Session, Throttle, User

users = User.__table__.c
sessions = Session.__table__.c
links = OneTimeToken.__table__.c
throttles = Throttle.__table__.c

_NOW = bindparam("now", type_=Timestamp)
_UUID = sessions.id.type
_PROFILE = (
    users.id,
    users.email,
    users.name,
    users.is_active,
    users.email_verified_at,
    users.platform_role,
    users.created_at,
    users.updated_at,
    users.version,
)
_LIVE = and_(sessions.revoked_at.is_(None), sessions.idle_expires_at > _NOW, sessions.expires_at > _NOW)
_ROTATED = (
    sessions.id,
    sessions.user_id,
    sessions.generation,
    sessions.active_tenant_id,
    sessions.rotated_at,
    sessions.idle_expires_at,
    sessions.expires_at,
)

_CHANGED = {"updated_at": _NOW, "version": users.version + 1}
_VERIFIED = {"email_verified_at": func.coalesce(users.email_verified_at, _NOW)}


def _given(*columns: str) -> dict[str, BindParameter[Any]]:
    """Columns that a statement takes from parameters of the same names."""
    return {column: bindparam(column) for column in columns}


# Users

INSERT_USER = Statement(
    insert(User)
    .values(
        _given("id", "email", "email_key", "name", "password_hash", "email_verified_at", "platform_role")
        | {"created_at": _NOW, "updated_at": _NOW}
    )
    .returning(*_PROFILE),
    writes=True,
)

USER_BY_ID = Statement(select(*_PROFILE).where(users.id == bindparam("id")))

LOCK_USER = Statement(select(*_PROFILE).where(users.id == bindparam("id")).with_for_update(key_share=True), writes=True)
"""The row, held until the end of the transaction, for a change that depends on what it says."""

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
    .with_for_update(read=True),
    writes=True,
)
"""Holds the password that was just verified until the session is written: a change of it that comes in between either
waits, and ends the session with the others, or is seen here."""

UPDATE_USER = Statement(
    update(User)
    .where(users.id == bindparam("user_id"))
    .values(_given("email", "email_key", "name", "is_active", "email_verified_at") | _CHANGED)
    .returning(*_PROFILE),
    writes=True,
)

BLANK_USER = Statement(
    update(User)
    .where(users.id == bindparam("user_id"))
    .values(
        _given("email", "email_key", "name", "password_hash")
        | {"is_active": False, "email_verified_at": None, "platform_role": None}
        | _CHANGED
    ),
    writes=True,
)

SET_PASSWORD = Statement(
    update(User).where(users.id == bindparam("user_id")).values(_given("password_hash") | _VERIFIED | _CHANGED),
    writes=True,
)
"""The new password of somebody who has read mail at the address, which is thereby verified."""

UPGRADE_HASH = Statement(
    update(User)
    .where(users.id == bindparam("user_id"), users.password_hash == bindparam("old_hash"))
    .values(password_hash=bindparam("new_hash")),
    writes=True,
)

VERIFY_EMAIL = Statement(
    update(User).where(users.id == bindparam("user_id")).values(_VERIFIED | _CHANGED),
    writes=True,
)

# Sessions

SESSION_FACT = Statement(
    select(sessions.user_id, users.platform_role)
    .join_from(Session, User, users.id == sessions.user_id)
    .where(sessions.id == bindparam("id"), sessions.revoked_at.is_(None), users.is_active)
)

INSERT_SESSION = Statement(
    insert(Session)
    .values(
        _given("id", "user_id", "secret_hash", "user_agent", "address", "idle_expires_at", "expires_at")
        | {"rotated_at": _NOW, "created_at": _NOW, "last_used_at": _NOW}
    )
    .returning(*_ROTATED),
    writes=True,
)

ROTATE_SESSION = Statement(
    update(Session)
    .where(
        sessions.id == bindparam("session_id"),
        sessions.generation == bindparam("presented_generation"),
        sessions.secret_hash == bindparam("presented_hash"),
        _LIVE,
        exists().where(users.id == sessions.user_id, users.is_active),
    )
    .values(
        generation=sessions.generation + 1,
        previous_hash=sessions.secret_hash,
        secret_hash=bindparam("child_hash"),
        rotated_at=_NOW,
        last_used_at=_NOW,
        idle_expires_at=func.least(bindparam("idle_until", type_=Timestamp), sessions.expires_at),
        active_tenant_id=func.coalesce(bindparam("tenant_id", type_=_UUID), sessions.active_tenant_id),
    )
    .returning(*_ROTATED),
    writes=True,
)
"""The one conditional UPDATE of a refresh: of any number of tries with one token, one changes the row."""

SESSION_BY_ID = Statement(
    select(*_ROTATED, sessions.secret_hash, sessions.previous_hash, _LIVE.label("is_live")).where(
        sessions.id == bindparam("id")
    )
)

LOCK_SESSION = Statement(
    select(sessions.generation, sessions.secret_hash)
    .where(sessions.id == bindparam("id"), sessions.user_id == bindparam("user_id"))
    .with_for_update(key_share=True),
    writes=True,
)

REVOKE_SESSION = Statement(
    update(Session)
    .where(sessions.id == bindparam("session_id"), sessions.revoked_at.is_(None))
    .values(revoked_at=_NOW, revoke_reason=bindparam("reason"))
    .returning(sessions.id, sessions.user_id),
    writes=True,
)

REVOKE_OWN_SESSION = Statement(
    update(Session)
    .where(sessions.id == bindparam("session_id"), sessions.user_id == bindparam("owner_id"), _LIVE)
    .values(revoked_at=_NOW, revoke_reason=bindparam("reason"))
    .returning(sessions.id, sessions.user_id),
    writes=True,
)

REVOKE_SESSIONS_OF_USER = Statement(
    update(Session)
    .where(sessions.user_id == bindparam("owner_id"), sessions.revoked_at.is_(None))
    .values(revoked_at=_NOW, revoke_reason=bindparam("reason"))
    .returning(sessions.id),
    writes=True,
)

SESSIONS_OF_USER = Statement(
    select(
        sessions.id,
        sessions.user_agent,
        sessions.address,
        sessions.created_at,
        sessions.last_used_at,
        func.least(sessions.idle_expires_at, sessions.expires_at).label("expires_at"),
        sessions.active_tenant_id,
    )
    .where(sessions.user_id == bindparam("user_id"), _LIVE)
    .order_by(sessions.last_used_at.desc(), sessions.id.desc())
    .limit(200)
)

BLANK_SESSIONS = Statement(
    update(Session).where(sessions.user_id == bindparam("owner_id")).values(user_agent=None, address=None),
    writes=True,
)

# Links that were mailed

INSERT_LINK = Statement(
    insert(OneTimeToken).values(
        _given("token_hash", "purpose", "user_id", "email_key", "expires_at") | {"created_at": _NOW}
    ),
    writes=True,
)

USE_LINK = Statement(
    update(OneTimeToken)
    .where(
        links.token_hash == bindparam("presented_hash"),
        links.purpose == bindparam("expected_purpose"),
        links.used_at.is_(None),
        links.expires_at > _NOW,
        exists().where(users.id == links.user_id, users.email_key == links.email_key, users.is_active),
    )
    .values(used_at=_NOW)
    .returning(links.user_id),
    writes=True,
)

VOID_LINKS = Statement(
    update(OneTimeToken)
    .where(links.user_id == bindparam("owner_id"), links.purpose == bindparam("of_purpose"), links.used_at.is_(None))
    .values(used_at=_NOW),
    writes=True,
)

DELETE_LINKS = Statement(delete(OneTimeToken).where(links.user_id == bindparam("user_id")), writes=True)

# Limits

_INTERVAL = bindparam("interval", type_=Interval)
_arrival = func.greatest(throttles.tat, _NOW) + _INTERVAL

TAKE_ATTEMPT = Statement(
    upsert(Throttle)
    .values(key=bindparam("key"), tat=_NOW + _INTERVAL)
    .on_conflict_do_update(
        index_elements=[throttles.key],
        set_={"tat": _arrival},
        where=_arrival <= bindparam("horizon", type_=Timestamp),
    )
    .returning(throttles.tat),
    writes=True,
)
"""One row back: the attempt counts. None: it is over the limit, and nothing was counted."""

NEXT_ATTEMPT = Statement(select(throttles.tat).where(throttles.key == bindparam("key")))

GIVE_BACK_ATTEMPT = Statement(
    update(Throttle).where(throttles.key == bindparam("key")).values(tat=throttles.tat - _INTERVAL), writes=True
)

# Housekeeping

_BEFORE = bindparam("before", type_=Timestamp)

PRUNE_THROTTLES = Statement(delete(Throttle).where(throttles.tat < _NOW), writes=True)
PRUNE_LINKS = Statement(delete(OneTimeToken).where(links.expires_at < _BEFORE), writes=True)
PRUNE_SESSIONS = Statement(
    delete(Session).where(
        or_(sessions.revoked_at < _BEFORE, sessions.idle_expires_at < _BEFORE, sessions.expires_at < _BEFORE)
    ),
    writes=True,
)
