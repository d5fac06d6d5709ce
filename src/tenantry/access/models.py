"""The tables of access: what a tenant adds to the built-in roles, and who may act besides people.

Roles, keys and grants on whole resource types make a principal, so they are of the control plane. Grants on records lie
beside the records (`Grant`, tenant plane), where the statements about the records reach them.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
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

from tenantry.access.errors import GrantExists, RoleNameTaken, ServiceAccountNameTaken
from tenantry.database import ControlModel, ControlRecord, DatabaseRole, Table, TenantTable, Timestamp
from tenantry.database.row_security import Policy, tenant_or_own
from tenantry.kernel import TenantryError

MAX_ROLE_NAME = 50
MAX_PERMISSION = 120

_OF_TENANT: dict[str, str] = {
    DatabaseRole.CONTROL: "SELECT, INSERT, UPDATE, DELETE",
    DatabaseRole.PLATFORM: "SELECT",
}


class SubjectType(StrEnum):
    """What can hold a grant."""

    USER = "user"
    TEAM = "team"
    ROLE = "role"
    SERVICE_ACCOUNT = "service_account"
    API_KEY = "api_key"
    AGENT = "agent"


class Effect(StrEnum):
    """What a grant does. A deny stands above every allow."""

    ALLOW = "allow"
    DENY = "deny"


class CustomRole(ControlModel):
    """A role of a tenant's own: a named set of permissions. Members, teams and keys hold it by name."""

    __tablename__ = "roles"
    __privileges__: ClassVar[dict[str, str]] = _OF_TENANT
    __errors__: ClassVar[dict[str, type[TenantryError]]] = {"uq_roles_tenant_id_name": RoleNameTaken}
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    name: Mapped[str] = mapped_column(String(MAX_ROLE_NAME, collation="C"))
    description: Mapped[str | None] = mapped_column(String(500))
    counts_as: Mapped[str] = mapped_column(String(MAX_ROLE_NAME))
    """The built-in role that it is where a rule asks for a minimum role; it gives no permissions."""
    permissions: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))


class ServiceAccount(ControlModel):
    """An actor that is no person: it has a role, signs in with keys alone, and may own records.

    It acts while its sponsor, who gave it the role, may give that role; then it is suspended until somebody else who
    may takes it over.
    """

    __tablename__ = "service_accounts"
    __privileges__: ClassVar[dict[str, str]] = _OF_TENANT
    __errors__: ClassVar[dict[str, type[TenantryError]]] = {
        "uq_service_accounts_tenant_id_name": ServiceAccountNameTaken
    }
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    name: Mapped[str] = mapped_column(String(200, collation="C"))
    role: Mapped[str] = mapped_column(String(MAX_ROLE_NAME))
    created_by: Mapped[uuid.UUID | None]
    sponsor_id: Mapped[uuid.UUID | None]
    """The person who answers for it. Where there is none, nobody does."""
    suspended_at: Mapped[datetime | None] = mapped_column(Timestamp)


class ApiKey(ControlRecord):
    """A secret that acts for a member or a service account, in one tenant, within its scope. Only a hash is kept.

    It goes with the membership: a key never outlives the place of whoever it acts for.
    """

    __tablename__ = "api_keys"
    __privileges__: ClassVar[dict[str, str]] = _OF_TENANT
    __policies__: ClassVar[tuple[Policy, ...]] = tenant_or_own("user_id")
    __table_args__ = (
        CheckConstraint("(user_id IS NULL) <> (service_account_id IS NULL)", name="acts_for_one"),
        ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["control.memberships.tenant_id", "control.memberships.user_id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["tenant_id", "service_account_id"],
            ["control.service_accounts.tenant_id", "control.service_accounts.id"],
            ondelete="CASCADE",
        ),
        Index(None, "tenant_id", "user_id"),
        Index(None, "tenant_id", "service_account_id"),
    )

    name: Mapped[str] = mapped_column(String(200, collation="C"))
    user_id: Mapped[uuid.UUID | None]
    service_account_id: Mapped[uuid.UUID | None]
    role: Mapped[str | None] = mapped_column(String(MAX_ROLE_NAME))
    """A role whose permissions are the scope."""
    permissions: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    """The scope. Without a role and without permissions: everything that whom it acts for may do."""
    prefix: Mapped[str] = mapped_column(String(40))
    """The beginning of the secret, by which people tell their keys apart."""
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, info={"sensitive": True})
    created_by: Mapped[uuid.UUID | None]
    expires_at: Mapped[datetime | None] = mapped_column(Timestamp)
    last_used_at: Mapped[datetime | None] = mapped_column(Timestamp)


class TypeGrant(ControlRecord):
    """A grant on a whole resource: on every record that it has and will have."""

    __tablename__ = "type_grants"
    __privileges__: ClassVar[dict[str, str]] = _OF_TENANT
    __errors__: ClassVar[dict[str, type[TenantryError]]] = {"uq_type_grants_subject": GrantExists}
    __table_args__ = (
        CheckConstraint("effect IN ('allow', 'deny')", name="effect"),
        UniqueConstraint("tenant_id", "subject_id", "action", "effect", name="uq_type_grants_subject"),
    )

    resource_type: Mapped[str] = mapped_column(String(60))
    subject_type: Mapped[str] = mapped_column(String(20))
    subject_id: Mapped[uuid.UUID]
    action: Mapped[str] = mapped_column(String(MAX_PERMISSION))
    effect: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime | None] = mapped_column(Timestamp)
    created_by: Mapped[uuid.UUID | None]


class Grant(TenantTable):
    """A grant on one record and on what lies below it: `subject` may, or may not, do `action`.

    The index by subject covers what the predicates of lists read, so that they never touch the table; its effect comes
    first, because a predicate reads the denials or the allowances of many subjects, never both.
    """

    __tablename__ = "grants"
    __errors__: ClassVar[dict[str, type[TenantryError]]] = {"uq_grants_record": GrantExists}
    __table_args__ = (
        CheckConstraint("effect IN ('allow', 'deny')", name="effect"),
        Index("uq_grants_record", "tenant_id", "record_id", "subject_id", "action", "effect", unique=True),
        Index(
            "ix_grants_subject",
            "tenant_id",
            "effect",
            "subject_id",
            "action",
            postgresql_include=["record_id", "expires_at"],
        ),
    )

    resource_type: Mapped[str] = mapped_column(String(60))
    record_id: Mapped[uuid.UUID]
    subject_type: Mapped[str] = mapped_column(String(20))
    subject_id: Mapped[uuid.UUID]
    action: Mapped[str] = mapped_column(String(MAX_PERMISSION, collation="C"))
    effect: Mapped[str] = mapped_column(String(5, collation="C"))
    expires_at: Mapped[datetime | None] = mapped_column(Timestamp)
    created_by: Mapped[uuid.UUID | None]
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())


MODELS: tuple[type[Table], ...] = (CustomRole, ServiceAccount, ApiKey, TypeGrant, Grant)
"""Every table of access, for the assembly."""
