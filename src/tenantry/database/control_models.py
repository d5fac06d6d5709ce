"""Bases of tables in the control plane whose rows are of one tenant each.

>>> from sqlalchemy import String
>>> class Motto(ControlModel):
...     __tablename__ = "mottoes_example"
...     text: Mapped[str] = mapped_column(String(200))
>>> [column.name for column in Motto.__table__.columns]
['tenant_id', 'id', 'text', 'created_at', 'updated_at', 'version']
>>> _ = ControlModel.metadata.remove(Motto.__table__)
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import ClassVar

from sqlalchemy import ForeignKey, func
from sqlalchemy.orm import Mapped, mapped_column

from tenantry.database.planes import ControlTable, Timestamp
from tenantry.database.row_security import Policy, tenant_or_own
from tenantry.kernel import new_id


class ControlRecord(ControlTable):
    """A row of a tenant, which goes with it: `tenant_id` and `id` (UUID v7), and when it was made."""

    __abstract__ = True
    __policies__: ClassVar[tuple[Policy, ...]] = tenant_or_own()

    tenant_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("control.tenants.id", ondelete="CASCADE"), primary_key=True, sort_order=-1000
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id, sort_order=-999)
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now(), sort_order=900)


class ControlModel(ControlRecord):
    """Base of resources in the control plane: a record that changes, with its version."""

    __abstract__ = True

    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now(), sort_order=901)
    version: Mapped[int] = mapped_column(server_default="1", sort_order=902)
    """Counts the changes; the ETag of the record, and what ``If-Match`` is compared with."""
