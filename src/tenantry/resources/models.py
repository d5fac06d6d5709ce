"""What resource tables have in common: the base and its mixins.

>>> from sqlalchemy import String
>>> from sqlalchemy.orm import Mapped, mapped_column
>>> class Note(TenantModel, SoftDeletes, Owned):
...     __tablename__ = "notes_example"
...     text: Mapped[str] = mapped_column(String(200))
>>> [column.name for column in Note.__table__.primary_key]
['tenant_id', 'id']
>>> _ = TenantModel.metadata.remove(Note.__table__)
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from tenantry.database import TenantTable, Timestamp

LIVE = text("deleted_at IS NULL")
"""The rows that are not soft-deleted, as the condition of a partial index."""


class TenantModel(TenantTable):
    """Base of resources: `tenant_id` and `id` (UUID v7), when it was made and changed, and its version."""

    __abstract__ = True
    __mapper_args__: Any = {"eager_defaults": True}  # noqa: RUF012 - as the base declares it
    """An ORM session knows the new version at once, without asking for it."""

    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now(), sort_order=900)
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now(), sort_order=901)
    version: Mapped[int] = mapped_column(server_default="1", sort_order=902)
    """Counts the changes; the ETag of the record, and what ``If-Match`` is compared with."""


class SoftDeletes:
    """A delete marks the row and a restore brings it back; nothing else sees a marked row.

    Being marked is a matter of the access predicate, not of row security: a policy on `deleted_at` would refuse the
    very update that sets it.
    """

    deleted_at: Mapped[datetime | None] = mapped_column(Timestamp, sort_order=910)
    deleted_by: Mapped[uuid.UUID | None] = mapped_column(sort_order=911)


class Owned:
    """The row belongs to a user, who may hold ``…:own`` permissions on it."""

    owner_id: Mapped[uuid.UUID] = mapped_column(sort_order=800)


def newest_first(table: str) -> Index:
    """Return the index of the default list order, ``(tenant_id, created_at, id)``."""
    return Index(f"ix_{table}_newest", "tenant_id", "created_at", "id")


def unique_among_live(table: str, *columns: str) -> Index:
    """Return a unique index over the rows that are not soft-deleted, so that a deleted name can be used again.

    Its name is ``uq_<table>_<columns>``; map it to an error in the model's ``__errors__``.
    """
    return Index(f"uq_{table}_{'_'.join(columns)}", "tenant_id", *columns, unique=True, postgresql_where=LIVE)
