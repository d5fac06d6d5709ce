"""The outbox: facts that were announced, in the transaction that made them true."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Index, String, func
from sqlalchemy.orm import Mapped, mapped_column

from tenantry.database import ControlTable, SharedTable, Timestamp
from tenantry.kernel import new_id


class EventColumns:
    """One fact. `seq` is null until the relay publishes it: ids are made before the commit and are not its order."""

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(100))
    aggregate_type: Mapped[str] = mapped_column(String(60))
    aggregate_id: Mapped[uuid.UUID | None]
    data: Mapped[dict[str, Any]]
    actor_kind: Mapped[str] = mapped_column(String(20))
    actor_id: Mapped[uuid.UUID | None]
    request_id: Mapped[str | None] = mapped_column(String(128))
    at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    seq: Mapped[int | None] = mapped_column(BigInteger)


class OutboxEvent(EventColumns, SharedTable):
    """An event about tenant rows; once per database, so that it is written in their transaction in every placement."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_pending", "id", postgresql_where="seq IS NULL"),)

    tenant_id: Mapped[uuid.UUID] = mapped_column()


class ControlOutboxEvent(EventColumns, ControlTable):
    """An event of the control plane (a member joined, a tenant was suspended)."""

    __tablename__ = "outbox"
    __privileges__: ClassVar[dict[str, str]] = {
        "tenantry_control": "INSERT",
        "tenantry_platform": "INSERT",
        "tenantry_worker": "SELECT, UPDATE, DELETE",
    }
    __table_args__ = (Index("ix_outbox_pending", "id", postgresql_where="seq IS NULL"),)

    tenant_id: Mapped[uuid.UUID | None] = mapped_column()
