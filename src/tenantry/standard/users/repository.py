"""Every statement of users as they and the platform administrators see them, compiled once."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

from sqlalchemy import Column, bindparam, insert, null, select, text, update

from tenantry.database import EXTENSION, Statement, Timestamp, given
from tenantry.identity import User
from tenantry.kernel import ConfigurationError
from tenantry.standard.users.schemas import UserRead

users = User.__table__.c

_NOW = bindparam("now", type_=Timestamp)
_change = update(User).where(users.id == bindparam("user_id")).values(updated_at=_NOW, version=users.version + 1)


class UserStatements:
    """What is asked of users, with the columns that one schema shows: an application may show columns of its own."""

    def __init__(self, read: type[UserRead]) -> None:
        if unknown := read.model_fields.keys() - users.keys():
            names = ", ".join(sorted(unknown))
            raise ConfigurationError(f"{read.__name__}: users have no {names}; add it by tenantry.database.extend.")
        self._shown = tuple(users[name] for name in read.model_fields)
        self.insert = Statement(
            insert(User)
            .values(
                given("id", "email", "email_key", "name", "password_hash", "email_verified_at", "platform_role")
                | {"created_at": _NOW, "updated_at": _NOW}
            )
            .returning(*self._shown)
        )
        found = select(*self._shown).where(users.id == bindparam("id"))
        self.by_id = Statement(found)
        self.lock = Statement(found.with_for_update(key_share=True))
        """The row, held until the end of the transaction, for a change that depends on what it says."""
        self._updates: dict[frozenset[str], Statement] = {}

    def update(self, columns: Collection[str]) -> Statement:
        """Return the statement that changes these columns."""
        names = frozenset(columns)
        if names not in self._updates:
            self._updates[names] = Statement(_change.values(given(*sorted(names))).returning(*self._shown))
        return self._updates[names]


statements_of = cache(UserStatements)
"""The statements for what a schema shows."""


@cache
def blank_user() -> Statement:
    """Return the statement that takes out of a row what is personal, the columns of the application included."""
    personal = {column.name: _blank(column) for column in users if EXTENSION in column.info}
    return Statement(
        _change.values(
            given("email", "email_key", "name", "password_hash")
            | {"is_active": False, "email_verified_at": None, "platform_role": None}
            | personal
        )
    )


def _blank(column: Column[object]) -> object:
    return null() if column.nullable else text("DEFAULT")
