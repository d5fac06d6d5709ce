"""What goes with a record that is removed for good: the grants on it, and on everything that goes with it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import CTE, Select, Table, delete, or_, select

from tenantry.access import Grant, ResourceAccess
from tenantry.database import Plane

_GRANTS = Grant.__table__

Ids = Select[tuple[Any]]
"""The ids of some records."""


def without_grants(access: ResourceAccess, removed: CTE) -> list[CTE]:
    """Return the part of a removal that takes the grants back, nothing where there can be none.

    No foreign key holds grants to their records, which lie in many tables: PostgreSQL deletes a project's tasks, and
    would leave the grants on them. The parts of one statement read the same moment, so the records below are still
    there to be found.
    """
    if access.plane is Plane.CONTROL:
        return []
    gone: Ids = select(removed.c.id)
    ids = [*([gone] if access.grantable else ()), *_below(access.table, gone)]
    if not ids:
        return []
    return [delete(_GRANTS).where(or_(*(_GRANTS.c.record_id.in_(some) for some in ids))).cte("ungranted")]


def _below(table: Table, gone: Ids) -> Iterable[Ids]:
    """Return the ids of the records that the database deletes with others, level by level."""
    for child, column in _dependants(table):
        ids = select(child.c.id).where(child.c[column].in_(gone))
        yield ids
        yield from _below(child, ids)


def _dependants(table: Table) -> Iterable[tuple[Table, str]]:
    """Return the tables whose rows go with those of another, each with the column that names its id."""
    for child in table.metadata.tables.values():
        for key in child.foreign_key_constraints:
            if child is not table and key.referred_table is table and key.ondelete == "CASCADE":
                yield from ((child, one.parent.name) for one in key.elements if one.column.name == "id")
