"""Every statement of users as they and the platform administrators see them, compiled once."""

from __future__ import annotations

from functools import cache

from sqlalchemy import Column, bindparam, insert, null, text, update

from tenantry.database import EXTENSION, ShownRows, Statement, Timestamp, given
from tenantry.identity import User
from tenantry.standard.users.schemas import UserRead

users = User.__table__.c

_NOW = bindparam("now", type_=Timestamp)
_IS_USER = users.id == bindparam("user_id")
_TOUCHED = {"updated_at": _NOW, "version": users.version + 1}


class UserStatements(ShownRows):
    """What is asked of users, with the columns that one schema shows: an application may show columns of its own."""

    def __init__(self, read: type[UserRead]) -> None:
        super().__init__(User, read.model_fields, where=_IS_USER, touched=_TOUCHED)
        self.insert = Statement(
            insert(User)
            .values(
                given("id", "email", "email_key", "name", "password_hash", "email_verified_at", "platform_role")
                | {"created_at": _NOW, "updated_at": _NOW}
            )
            .returning(*self.shown)
        )


statements_of = cache(UserStatements)
"""The statements for what a schema shows."""


@cache
def blank_user() -> Statement:
    """Return the statement that takes out of a row what is personal, the columns of the application included."""
    personal = {column.name: _blank(column) for column in users if EXTENSION in column.info}
    return Statement(
        update(User)
        .where(_IS_USER)
        .values(
            _TOUCHED
            | given("email", "email_key", "name", "password_hash")
            | {"is_active": False, "email_verified_at": None, "platform_role": None}
            | personal
        )
    )


def _blank(column: Column[object]) -> object:
    return null() if column.nullable else text("DEFAULT")
