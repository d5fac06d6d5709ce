"""The tables of tenancy, all of the control plane: tenants, who belongs to them, and who was invited.

Memberships and invitations stand behind row security: the control role sees those of the transaction's tenant, and a
person's own memberships. Tenants do not: finding a tenant by its slug comes before anything is known.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from tenantry.database import ControlTable, DatabaseRole, PlacementKind, Table, Timestamp
from tenantry.database.row_security import Policy, tenant_or_own
from tenantry.kernel import TenantryError, new_id
from tenantry.tenancy.errors import AlreadyMember, InvitationPending, SlugTaken, UnknownUser
from tenantry.tenancy.roles import Role

_MAX_EMAIL = 320
_MAX_ROLE = 50


class TenantStatus(StrEnum):
    """The states of a tenant. `preparing` is a tenant whose schema is being made; it can be resumed."""

    PREPARING = "preparing"
    ACTIVE = "active"
    SUSPENDED = "suspended"


def _one_of(column: str, values: type[StrEnum]) -> str:
    return f"{column} IN ({', '.join(repr(value.value) for value in values)})"


class Tenant(ControlTable):
    """An organisation whose rows are set apart from all others'."""

    __tablename__ = "tenants"
    __privileges__: ClassVar[dict[str, str]] = {
        DatabaseRole.CONTROL: "SELECT, INSERT, UPDATE, DELETE",
        DatabaseRole.PLATFORM: "SELECT, UPDATE",
    }
    __errors__: ClassVar[dict[str, type[TenantryError]]] = {"uq_tenants_slug": SlugTaken}
    __table_args__ = (
        UniqueConstraint("slug"),
        CheckConstraint(_one_of("status", TenantStatus), name="status"),
        CheckConstraint(_one_of("placement_kind", PlacementKind), name="placement_kind"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    slug: Mapped[str] = mapped_column(String(63, collation="C"))
    name: Mapped[str] = mapped_column(String(200))
    status: Mapped[str] = mapped_column(String(20))
    config: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"), info={"sensitive": True})
    placement_kind: Mapped[str] = mapped_column(String(20))
    placement_schema: Mapped[str] = mapped_column(String(63))
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    version: Mapped[int] = mapped_column(server_default="1")


class Member(ControlTable):
    """A person in a tenant, with a role there. The role is a name: roles of a tenant's own will be names too."""

    __tablename__ = "memberships"
    __privileges__: ClassVar[dict[str, str]] = {
        DatabaseRole.CONTROL: "SELECT, INSERT, UPDATE, DELETE",
        DatabaseRole.PLATFORM: "SELECT",
    }
    __policies__: ClassVar[tuple[Policy, ...]] = tenant_or_own("user_id")
    __errors__: ClassVar[dict[str, type[TenantryError]]] = {
        "pk_memberships": AlreadyMember,
        "fk_memberships_user_id": UnknownUser,
    }
    __table_args__ = (CheckConstraint(_one_of("role", Role), name="role"), Index(None, "user_id"))

    tenant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("control.tenants.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("control.users.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str] = mapped_column(String(_MAX_ROLE))
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())


class Invitation(ControlTable):
    """An offer of a role to whoever reads mail at an address. Only a hash of the mailed token is kept."""

    __tablename__ = "invitations"
    __privileges__: ClassVar[dict[str, str]] = {
        DatabaseRole.CONTROL: "SELECT, INSERT, UPDATE, DELETE",
        DatabaseRole.PLATFORM: "SELECT",
    }
    __policies__: ClassVar[tuple[Policy, ...]] = tenant_or_own()
    __errors__: ClassVar[dict[str, type[TenantryError]]] = {"uq_invitations_open": InvitationPending}
    __table_args__ = (
        UniqueConstraint("token_hash"),
        CheckConstraint(_one_of("role", Role), name="role"),
        Index(
            "uq_invitations_open",
            "tenant_id",
            "email_key",
            unique=True,
            postgresql_where=text("accepted_at IS NULL AND revoked_at IS NULL"),
        ),
    )

    tenant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("control.tenants.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(String(_MAX_EMAIL), info={"sensitive": True})
    email_key: Mapped[str] = mapped_column(String(_MAX_EMAIL), info={"sensitive": True})
    role: Mapped[str] = mapped_column(String(_MAX_ROLE))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, info={"sensitive": True})
    invited_by: Mapped[uuid.UUID | None]
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(Timestamp)
    accepted_at: Mapped[datetime | None] = mapped_column(Timestamp)
    accepted_by: Mapped[uuid.UUID | None]
    revoked_at: Mapped[datetime | None] = mapped_column(Timestamp)


MODELS: tuple[type[Table], ...] = (Tenant, Member, Invitation)
"""Every table of tenancy, for the assembly."""
