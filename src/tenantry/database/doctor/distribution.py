"""Rule: every tenant table could be distributed by tenant unchanged (Citus), and sorts by columns that can be indexed.

Judged over the metadata, so that a model is refused before its migration exists.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.types import TypeEngine

from tenantry.database.doctor.finding import DatabaseFinding, error, warning

_RULE = "distribution"
_TENANT = "tenant_id"
_LEAKING = (sa.ARRAY, sa.JSON, TSVECTOR)


def distribution_findings(tables: Iterable[sa.Table]) -> Iterator[DatabaseFinding]:
    """Judge the tables of the tenant plane as they are declared."""
    for table in tables:
        yield from _keys(table)
        yield from _foreign_keys(table)
        yield from _columns(table)


def leaking_findings(columns: Iterable[sa.Column[object]]) -> Iterator[DatabaseFinding]:
    """Judge columns by which lists are sorted or filtered."""
    for column in columns:
        if _is_leaking(column.type):
            reason = f"lists sort or filter by it, and comparing {column.type!r} is not leakproof: no index is used"
            yield warning("operators", str(column), reason, "Use text, integer, uuid, date or timestamptz for it.")


def _is_leaking(kind: TypeEngine[object]) -> bool:
    """Tell whether comparing could tell about hidden rows, so that PostgreSQL scans the tenant's rows instead."""
    match kind:
        case sa.Enum():
            return bool(kind.native_enum)
        case sa.Numeric():
            return not isinstance(kind, sa.Float)
        case _:
            return isinstance(kind, _LEAKING)


def _keys(table: sa.Table) -> Iterator[DatabaseFinding]:
    keys: list[tuple[str, list[str]]] = [("the primary key", [column.name for column in table.primary_key.columns])]
    keys += [
        (f"the unique constraint {constraint.name}", [column.name for column in constraint.columns])
        for constraint in table.constraints
        if isinstance(constraint, sa.UniqueConstraint)
    ]
    keys += [
        (f"the unique index {index.name}", [str(getattr(one, "name", one)) for one in index.expressions])
        for index in table.indexes
        if index.unique
    ]
    for what, columns in keys:
        if columns[:1] != [_TENANT]:
            yield error(_RULE, str(table), f"{what} does not start with {_TENANT}", f"Put {_TENANT} first.")


def _foreign_keys(table: sa.Table) -> Iterator[DatabaseFinding]:
    for key in table.foreign_key_constraints:
        place = f"{table}.{key.name}"
        if key.column_keys[0] != _TENANT or key.elements[0].column.name != _TENANT:
            yield error(_RULE, place, f"the foreign key does not start with {_TENANT}", "Use tenant_reference().")
        if (key.ondelete or "RESTRICT").upper() not in {"RESTRICT", "CASCADE", "NO ACTION"}:
            reason = f"ON DELETE {key.ondelete} would change the tenant of the row"
            yield error(_RULE, place, reason, "Use CASCADE or RESTRICT, and set the column to null in code.")


def _columns(table: sa.Table) -> Iterator[DatabaseFinding]:
    for column in table.columns:
        if column.identity is not None or isinstance(column.default, sa.Sequence):
            yield error(_RULE, str(column), "identity columns and sequences cannot be distributed", "Use a UUID.")
        if isinstance(column.type, sa.Enum) and column.type.native_enum:
            reason = "a type of its own would exist once for each schema, and its values cannot be indexed"
            yield error(_RULE, str(column), reason, "Use text with a CHECK constraint (native_enum=False).")
