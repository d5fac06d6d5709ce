"""Whether a record is there for somebody: the one question that comes before every 403."""

from __future__ import annotations

from functools import lru_cache

from sqlalchemy import bindparam, exists, select

from tenantry.access.resource import Extents, ResourceAccess
from tenantry.database import Statement


@lru_cache(maxsize=1024)
def existence(access: ResourceAccess, read: Extents) -> Statement:
    """Whether one record is visible. Parameters: ``id``, and the subjects where the extents ask for them."""
    table = access.table
    found = exists().where(table.c.id == bindparam("id"), access.visible(table, read))
    return Statement(select(found))
