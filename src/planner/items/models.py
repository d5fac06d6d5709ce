"""Items: things with a price."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from tenantry.resources import SoftDeletes, TenantModel, newest_first


class Item(TenantModel, SoftDeletes):
    """A thing that a tenant sells."""

    __tablename__ = "items"
    __table_args__ = (
        CheckConstraint("price_cents BETWEEN 1 AND 10000000", name="price_cents_range"),
        newest_first("items"),
    )

    name: Mapped[str] = mapped_column(String(100, collation="C"))
    description: Mapped[str | None] = mapped_column(String(500))
    price_cents: Mapped[int]
