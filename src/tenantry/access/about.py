"""Rows about records: lines of the trail, events. Who may not read a record reads nothing about it either."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select, true

from tenantry.access.permit import Permits
from tenantry.access.resource import ResourceAccess
from tenantry.database import sql_literal

Reads = Sequence[tuple[ResourceAccess, Permits]]
"""Resources, each with the permits of reading it."""


def about_readable(kind: ColumnElement[Any], record_id: ColumnElement[Any], reads: Reads) -> ColumnElement[bool]:
    """Return the condition that a row is about a record that may be read, or about something else.

    `kind` is the column with the singular name of the resource, `record_id` the one with the record's id. Where the
    reader sees every record of a resource nothing is asked. Soft-deleted records count as they did before; of one that
    was purged, or lies under something deleted, only such a reader still learns.
    """
    limited = [(access, read) for access, read in reads if not _is_everything(read)]
    return and_(true(), *(_unless_hidden(kind, record_id, access, read) for access, read in limited))


def _is_everything(read: Permits) -> bool:
    return all(permit.is_everything and not permit.granted for permit in read)


def _unless_hidden(
    kind: ColumnElement[Any], record_id: ColumnElement[Any], access: ResourceAccess, read: Permits
) -> ColumnElement[bool]:
    rows = access.table.alias(f"{access.resource}_told")
    seen = or_(access.visible(rows, read), access.visible(rows, read, deleted=True))
    is_seen = exists(select(1).where(rows.c.id == record_id, seen))
    return or_(kind != sql_literal(access.singular), record_id.is_(None), is_seen)
