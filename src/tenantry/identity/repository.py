"""Every statement of sessions, links and limits, compiled once.

Moments are parameters: the clock of the runtime decides about expiry.
"""

from __future__ import annotations

from sqlalchemy import Interval, and_, bindparam, delete, exists, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from tenantry.database import Statement, Timestamp, given
from tenantry.identity.models import OneTimeToken, Session, Throttle, User

users = User.__table__.c
sessions = Session.__table__.c
links = OneTimeToken.__table__.c
throttles = Throttle.__table__.c

_NOW = bindparam("now", type_=Timestamp)
_UUID = sessions.id.type
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


# Sessions

SESSION_FACT = Statement(
    select(sessions.user_id, users.platform_role)
    .join_from(Session, User, users.id == sessions.user_id)
    .where(sessions.id == bindparam("id"), sessions.revoked_at.is_(None), users.is_active)
)

INSERT_SESSION = Statement(
    insert(Session)
    .values(
        given("id", "user_id", "secret_hash", "user_agent", "address", "idle_expires_at", "expires_at")
        | {"rotated_at": _NOW, "created_at": _NOW, "last_used_at": _NOW}
    )
    .returning(*_ROTATED)
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
    .returning(*_ROTATED)
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
    .with_for_update(key_share=True)
)

_revocation = (
    update(Session)
    .where(sessions.user_id == bindparam("owner_id"), sessions.revoked_at.is_(None))
    .values(revoked_at=_NOW, revoke_reason=bindparam("reason"))
    .returning(sessions.id)
)
REVOKE_SESSIONS = Statement(_revocation)
"""All that a user has."""

REVOKE_SESSION = Statement(_revocation.where(sessions.id == bindparam("session_id"), _LIVE))
"""One of a user's that is live."""

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
    update(Session).where(sessions.user_id == bindparam("owner_id")).values(user_agent=None, address=None)
)

# Links that were mailed

INSERT_LINK = Statement(
    insert(OneTimeToken).values(
        given("token_hash", "purpose", "user_id", "email_key", "expires_at") | {"created_at": _NOW}
    )
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
    .returning(links.user_id)
)

VOID_LINKS = Statement(
    update(OneTimeToken)
    .where(links.user_id == bindparam("owner_id"), links.purpose == bindparam("of_purpose"), links.used_at.is_(None))
    .values(used_at=_NOW)
)

DELETE_LINKS = Statement(delete(OneTimeToken).where(links.user_id == bindparam("owner_id")))

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
    .returning(throttles.tat)
)
"""One row back: the attempt counts. None: it is over the limit, and nothing was counted."""

NEXT_ATTEMPT = Statement(select(throttles.tat).where(throttles.key == bindparam("key")))

GIVE_BACK_ATTEMPT = Statement(
    update(Throttle).where(throttles.key == bindparam("key")).values(tat=throttles.tat - _INTERVAL)
)

# Housekeeping

_BEFORE = bindparam("before", type_=Timestamp)

PRUNE_THROTTLES = Statement(delete(Throttle).where(throttles.tat < _NOW))
PRUNE_LINKS = Statement(delete(OneTimeToken).where(links.expires_at < _BEFORE))
PRUNE_SESSIONS = Statement(
    delete(Session).where(
        or_(sessions.revoked_at < _BEFORE, sessions.idle_expires_at < _BEFORE, sessions.expires_at < _BEFORE)
    )
)
