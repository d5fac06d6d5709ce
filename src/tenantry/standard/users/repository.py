"""Every statement of users as they and the platform administrators see them, compiled once."""

from __future__ import annotations

from sqlalchemy import bindparam, insert, select, update

from tenantry.database import Statement, Timestamp, given
from tenantry.identity import User
from tenantry.standard.users.schemas import UserRead

users = User.__table__.c

_NOW = bindparam("now", type_=Timestamp)
_change = update(User).where(users.id == bindparam("user_id")).values(updated_at=_NOW, version=users.version + 1)
_SHOWN = tuple(users[name] for name in UserRead.model_fields)

INSERT_USER = Statement(
    insert(User)
    .values(
        given("id", "email", "email_key", "name", "password_hash", "email_verified_at", "platform_role")
        | {"created_at": _NOW, "updated_at": _NOW}
    )
    .returning(*_SHOWN)
)

USER_BY_ID = Statement(select(*_SHOWN).where(users.id == bindparam("id")))

LOCK_USER = Statement(select(*_SHOWN).where(users.id == bindparam("id")).with_for_update(key_share=True))
"""The row, held until the end of the transaction, for a change that depends on what it says."""

UPDATE_USER = Statement(
    _change.values(given("email", "email_key", "name", "is_active", "email_verified_at")).returning(*_SHOWN)
)

BLANK_USER = Statement(
    _change.values(
        given("email", "email_key", "name", "password_hash")
        | {"is_active": False, "email_verified_at": None, "platform_role": None}
    )
)
