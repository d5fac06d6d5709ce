"""The tables of tenancy, all of the control plane: tenants, who belongs to them, in which teams, and who was invited.

Memberships, teams and invitations stand behind row security: the control role sees those of the transaction's tenant,
and a person's own memberships. Tenants do not: finding a tenant by its slug comes before anything is known.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from tenantry.database import (
    FIELD,
    ControlModel,
    ControlRecord,
    ControlTable,
    DatabaseRole,
    PlacementKind,
    Table,
    Timestamp,
)
from tenantry.database.row_security import Policy, tenant_or_own
from tenantry.kernel import TenantryError, new_id
from tenantry.tenancy.errors import (
    AlreadyInTeam,
    AlreadyMember,
    InvitationPending,
    MemberNotFound,
    SlugTaken,
    TeamHasTeams,
    TeamNameTaken,
    UnknownUser,
)

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
    granted: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    """Which resources grants may exist for; written before the first of them, so that statements for all others can
    leave grants out (see `tenantry.access.grants`)."""
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    version: Mapped[int] = mapped_column(server_default="1")


class TenantSlug(ControlTable):
    """A slug that a tenant has, or had: an address that somebody still sends leads to no stranger.

    There is no key to the tenant, because the slug outlives it; the platform can release one that is not in use.
    """

    __tablename__ = "tenant_slugs"
    __privileges__: ClassVar[dict[str, str]] = {
        DatabaseRole.CONTROL: "SELECT, INSERT, DELETE",
        DatabaseRole.PLATFORM: "SELECT, INSERT, DELETE",
    }
    __policies__: ClassVar[tuple[Policy, ...]] = tenant_or_own()
    __table_args__ = (Index(None, "tenant_id"),)

    slug: Mapped[str] = mapped_column(String(63, collation="C"), primary_key=True)
    tenant_id: Mapped[uuid.UUID]
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())


class Member(ControlTable):
    """A person in a tenant, with a role there: the name of a built-in role or of one of the tenant's own."""

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
    __table_args__ = (Index(None, "user_id"),)

    tenant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("control.tenants.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("control.users.id", ondelete="CASCADE"), primary_key=True, info={FIELD: None}
    )
    role: Mapped[str] = mapped_column(String(_MAX_ROLE))
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    version: Mapped[int] = mapped_column(server_default="1")


class Invitation(ControlRecord):
    """An offer of a role to whoever reads mail at an address. Only a hash of the mailed token is kept."""

    __tablename__ = "invitations"
    __privileges__: ClassVar[dict[str, str]] = {
        DatabaseRole.CONTROL: "SELECT, INSERT, UPDATE, DELETE",
        DatabaseRole.PLATFORM: "SELECT",
    }
    __errors__: ClassVar[dict[str, type[TenantryError]]] = {"uq_invitations_open": InvitationPending}
    __table_args__ = (
        UniqueConstraint("token_hash"),
        Index(
            "uq_invitations_open",
            "tenant_id",
            "email_key",
            unique=True,
            postgresql_where=text("accepted_at IS NULL AND revoked_at IS NULL"),
        ),
    )

    email: Mapped[str] = mapped_column(String(_MAX_EMAIL), info={"sensitive": True})
    email_key: Mapped[str] = mapped_column(String(_MAX_EMAIL), info={"sensitive": True, FIELD: "email"})
    role: Mapped[str] = mapped_column(String(_MAX_ROLE))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, info={"sensitive": True})
    invited_by: Mapped[uuid.UUID | None]
    expires_at: Mapped[datetime] = mapped_column(Timestamp)
    accepted_at: Mapped[datetime | None] = mapped_column(Timestamp)
    accepted_by: Mapped[uuid.UUID | None]
    revoked_at: Mapped[datetime | None] = mapped_column(Timestamp)


class Team(ControlModel):
    """A group of members, which may stand in another team: whoever is in a team counts as in every team above it."""

    __tablename__ = "teams"
    __privileges__: ClassVar[dict[str, str]] = {
        DatabaseRole.CONTROL: "SELECT, INSERT, UPDATE, DELETE",
        DatabaseRole.PLATFORM: "SELECT",
    }
    __errors__: ClassVar[dict[str, type[TenantryError]]] = {
        "uq_teams_tenant_id_name": TeamNameTaken,
        "fk_teams_tenant_id_parent_id": TeamHasTeams,
    }
    __table_args__ = (
        UniqueConstraint("tenant_id", "name"),
        ForeignKeyConstraint(
            ["tenant_id", "parent_id"], ["control.teams.tenant_id", "control.teams.id"], ondelete="RESTRICT"
        ),
    )

    name: Mapped[str] = mapped_column(String(200, collation="C"))
    parent_id: Mapped[uuid.UUID | None]
    role: Mapped[str | None] = mapped_column(String(_MAX_ROLE))
    """A role that everybody in the team has besides their own."""


class TeamMember(ControlTable):
    """A member in a team; whoever leaves the tenant leaves its teams."""

    __tablename__ = "team_members"
    __privileges__: ClassVar[dict[str, str]] = {
        DatabaseRole.CONTROL: "SELECT, INSERT, UPDATE, DELETE",
        DatabaseRole.PLATFORM: "SELECT",
    }
    __policies__: ClassVar[tuple[Policy, ...]] = tenant_or_own("user_id")
    __errors__: ClassVar[dict[str, type[TenantryError]]] = {
        "pk_team_members": AlreadyInTeam,
        "fk_team_members_tenant_id_user_id": MemberNotFound,
    }
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "team_id"], ["control.teams.tenant_id", "control.teams.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["control.memberships.tenant_id", "control.memberships.user_id"],
            ondelete="CASCADE",
        ),
        Index(None, "tenant_id", "user_id"),
    )

    tenant_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    team_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())


MODELS: tuple[type[Table], ...] = (Tenant, TenantSlug, Member, Invitation, Team, TeamMember)
"""Every table of tenancy, for the assembly."""
