"""The planes of data, each with its metadata, its schema and its migration chains.

*Control* is what makes a principal (users, tenants, memberships), once per installation. *Tenant* is what a principal
acts on, once per placement, resolved through `search_path`. *Shared* is what workers read across tenants (outbox,
jobs), once per database, always qualified. A transaction touches control, or tenant and shared; never all three, and
no foreign key crosses.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import DateTime, ForeignKeyConstraint, MetaData
from sqlalchemy import Table as SqlTable
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tenantry.kernel import new_id

CONTROL_SCHEMA = "control"
SHARED_SCHEMA = "shared"
POOL_SCHEMA = "pool"

NAMING = {
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}
"""Constraint names are part of the API: a violated constraint is translated to an error by its name."""

_TYPES: dict[Any, Any] = {
    dict[str, Any]: JSONB(),
}


class Plane(StrEnum):
    """Which metadata and migration chains a table belongs to."""

    CONTROL = "control"
    SHARED = "shared"
    TENANT = "tenant"


class Table(DeclarativeBase):
    """Root of every declarative base; holds what they share."""

    __abstract__ = True
    __table__: ClassVar[SqlTable]
    type_annotation_map = _TYPES
    __privileges__: ClassVar[dict[str, str]] = {}
    """Role name → privileges, e.g. ``{"tenantry_app": "SELECT, INSERT"}``: generated as GRANTs by the migration."""


class ControlTable(Table):
    """Base of control-plane tables: schema ``control``, reachable by `tenantry_control` alone."""

    __abstract__ = True
    metadata = MetaData(schema=CONTROL_SCHEMA, naming_convention=NAMING)
    __privileges__: ClassVar[dict[str, str]] = {"tenantry_control": "SELECT, INSERT, UPDATE, DELETE"}


class SharedTable(Table):
    """Base of the tables that exist once per database and are read across tenants by workers."""

    __abstract__ = True
    metadata = MetaData(schema=SHARED_SCHEMA, naming_convention=NAMING)
    __privileges__: ClassVar[dict[str, str]] = {
        "tenantry_app": "SELECT, INSERT",
        "tenantry_worker": "SELECT, UPDATE, DELETE",
    }


class TenantTable(Table):
    """Base of tenant tables: row security forced, ``tenant_id`` first in every key, no schema in the name.

    The primary key is ``(tenant_id, id)``, so every foreign key between tenant tables carries the tenant (see
    `tenant_reference`), and every table can be distributed by tenant unchanged.
    """

    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)
    __privileges__: ClassVar[dict[str, str]] = {"tenantry_app": "SELECT, INSERT, UPDATE, DELETE"}

    tenant_id: Mapped[uuid.UUID] = mapped_column(primary_key=True, sort_order=-1000)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id, sort_order=-999)


Timestamp = DateTime(timezone=True)
"""The one type of a moment: `timestamptz`."""


def tenant_reference(
    column: str, table: str, *, ondelete: str = "RESTRICT", target: Sequence[str] = ("tenant_id", "id")
) -> ForeignKeyConstraint:
    """Return the composite foreign key ``(tenant_id, column)`` → ``table (tenant_id, id)``.

    A reference to another tenant's row is thereby impossible and fails like a random id. `ondelete` is ``RESTRICT``
    or ``CASCADE``; ``SET NULL`` would null the tenant too (and Citus refuses it).

    >>> tenant_reference("project_id", "projects").column_keys
    ['tenant_id', 'project_id']
    """
    if ondelete not in {"RESTRICT", "CASCADE"}:
        raise ValueError(f"ondelete={ondelete!r} on {table}: only RESTRICT or CASCADE carry the tenant safely")
    return ForeignKeyConstraint(["tenant_id", column], [f"{table}.{name}" for name in target], ondelete=ondelete)


METADATA = {
    Plane.CONTROL: ControlTable.metadata,
    Plane.SHARED: SharedTable.metadata,
    Plane.TENANT: TenantTable.metadata,
}


def plane_of(model: type[Table]) -> Plane:
    """Return the plane that a model's table lies in."""
    return next(plane for plane, metadata in METADATA.items() if metadata is model.metadata)
