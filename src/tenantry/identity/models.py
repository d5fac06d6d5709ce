"""The tables of identity, in the control plane. Users are global; who belongs to which tenant is tenancy's business.

Nothing here can be used by whoever reads a dump: passwords are Argon2id, and of every token only a hash is kept.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import ClassVar

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint, true
from sqlalchemy.orm import Mapped, mapped_column

from tenantry.database import FIELD, ControlTable, Timestamp
from tenantry.identity.errors import EmailTaken
from tenantry.kernel import TenantryError, new_id

SUPERADMIN = "superadmin"
"""The one platform role."""

MAX_USER_AGENT = 200
_MAX_EMAIL = 320


class User(ControlTable):
    """A person who can sign in.

    `email` is what mail is sent to; `email_key` is what it is compared by (see `addresses.email_key`).
    """

    __tablename__ = "users"
    __errors__: ClassVar[dict[str, type[TenantryError]]] = {"uq_users_email_key": EmailTaken}
    __table_args__ = (
        UniqueConstraint("email_key"),
        CheckConstraint(f"platform_role = '{SUPERADMIN}'", name="platform_role"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(String(_MAX_EMAIL), info={"sensitive": True})
    email_key: Mapped[str] = mapped_column(String(_MAX_EMAIL), info={"sensitive": True, FIELD: "email"})
    name: Mapped[str] = mapped_column(String(200), info={"sensitive": True})
    password_hash: Mapped[str] = mapped_column(String(200), info={"sensitive": True})
    is_active: Mapped[bool] = mapped_column(server_default=true())
    email_verified_at: Mapped[datetime | None] = mapped_column(Timestamp)
    platform_role: Mapped[str | None] = mapped_column(String(30))
    created_at: Mapped[datetime] = mapped_column(Timestamp)
    updated_at: Mapped[datetime] = mapped_column(Timestamp)
    version: Mapped[int] = mapped_column(server_default="1")


class Session(ControlTable):
    """A family of refresh tokens: one sign-in on one device, each token replacing the one before.

    `generation` counts the replacements. `previous_hash` and `rotated_at` serve the repetition of a refresh whose
    answer was lost. Times come from the clock of the runtime.
    """

    __tablename__ = "sessions"
    __table_args__ = (Index(None, "user_id"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("control.users.id", ondelete="CASCADE"))
    generation: Mapped[int] = mapped_column(server_default="0")
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, info={"sensitive": True})
    previous_hash: Mapped[bytes | None] = mapped_column(LargeBinary, info={"sensitive": True})
    rotated_at: Mapped[datetime] = mapped_column(Timestamp)
    active_tenant_id: Mapped[uuid.UUID | None]
    user_agent: Mapped[str | None] = mapped_column(String(MAX_USER_AGENT), info={"sensitive": True})
    address: Mapped[str | None] = mapped_column(String(45), info={"sensitive": True})
    created_at: Mapped[datetime] = mapped_column(Timestamp)
    last_used_at: Mapped[datetime] = mapped_column(Timestamp)
    idle_expires_at: Mapped[datetime] = mapped_column(Timestamp)
    expires_at: Mapped[datetime] = mapped_column(Timestamp)
    revoked_at: Mapped[datetime | None] = mapped_column(Timestamp)
    revoke_reason: Mapped[str | None] = mapped_column(String(30))


class OneTimeToken(ControlTable):
    """A link that was mailed. It counts only while its user still has the address it was mailed to."""

    __tablename__ = "one_time_tokens"
    __table_args__ = (
        CheckConstraint("purpose IN ('verify_email', 'password_reset')", name="purpose"),
        Index(None, "user_id"),
    )

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True, info={"sensitive": True})
    purpose: Mapped[str] = mapped_column(String(30))
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("control.users.id", ondelete="CASCADE"))
    email_key: Mapped[str] = mapped_column(String(_MAX_EMAIL), info={"sensitive": True})
    created_at: Mapped[datetime] = mapped_column(Timestamp)
    expires_at: Mapped[datetime] = mapped_column(Timestamp)
    used_at: Mapped[datetime | None] = mapped_column(Timestamp)


class Throttle(ControlTable):
    """When a limited thing may be done again (GCRA's theoretical arrival time).

    Unlogged: written on every attempt, and worth nothing after a crash. `key` is a hash, so that a dump does not say
    who tried to sign in.
    """

    __tablename__ = "throttles"
    __table_args__ = ({"prefixes": ["UNLOGGED"]},)

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    tat: Mapped[datetime] = mapped_column(Timestamp, index=True)
