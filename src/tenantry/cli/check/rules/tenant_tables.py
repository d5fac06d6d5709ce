"""The tenant is part of every key of a tenant table.

A foreign key on the id alone accepted another tenant's row, and its cascade deleted that row (measured); the composite
one refuses it with the same error as a random id. A unique name without the tenant tells one customer which names the
others use. ``SET NULL`` on a composite key nulls the tenant with it. Identity columns and ``SET NULL`` keep a table
from being distributed by tenant later; defaults made in Python are not run by compiled statements.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from sqlalchemy import Column, Table, UniqueConstraint

from tenantry.cli.check.finding import Finding
from tenantry.cli.check.project import CheckedProject

NAME = "tenant-table"

TENANT = "tenant_id"
_NULLING = {"SET NULL", "SET DEFAULT"}
_MADE_IN_PYTHON = {"id"}
"""Ids are UUID v7 made by the process, and every statement passes them."""


def check(project: CheckedProject) -> Iterator[Finding]:
    """Yield the faults of the application's tables in the tenant plane."""
    tables = project.application.tables if project.application else ()
    for located in tables:
        table = located.value
        for reason, way_out in chain(_tenant(table), _keys(table), _references(table), _columns(table)):
            yield Finding(NAME, located.place, f"{table.name}: {reason}", way_out)


Fault = tuple[str, str]


def _tenant(table: Table) -> Iterator[Fault]:
    if TENANT not in table.c:
        yield "it has no tenant_id, so nothing says whose rows these are", "make it a subclass of TenantModel"
    elif table.c[TENANT].nullable:
        yield "its tenant_id may be null, and such a row belongs to nobody", "make it not null"


def _keys(table: Table) -> Iterator[Fault]:
    keys: list[tuple[str, list[str]]] = [("the primary key", _names(table.primary_key.columns))]
    keys += [
        (f"the unique constraint {one.name}", _names(one.columns))
        for one in sorted(table.constraints, key=lambda one: str(one.name))
        if isinstance(one, UniqueConstraint)
    ]
    keys += [
        (f"the unique index {one.name}", _names(column for column in one.columns))
        for one in sorted(table.indexes, key=lambda one: str(one.name))
        if one.unique
    ]
    for what, columns in keys:
        if columns[:1] != [TENANT]:
            yield (
                f"{what} ({', '.join(columns)}) does not start with tenant_id: it is one key for all tenants",
                "put tenant_id first; among rows that are not soft-deleted: unique_among_live()",
            )


def _references(table: Table) -> Iterator[Fault]:
    for key in sorted(table.foreign_key_constraints, key=lambda one: str(one.name)):
        target = key.elements[0].target_fullname
        pairs = dict(
            zip(key.column_keys, (one.target_fullname.rpartition(".")[2] for one in key.elements), strict=True)
        )
        if "." in target.rpartition(".")[0]:
            yield (
                f"the foreign key to {target} leaves the tenant plane",
                "keep the id without a key; no key crosses planes",
            )
        elif list(pairs.items())[:1] != [(TENANT, TENANT)]:
            yield (
                f"the foreign key ({', '.join(key.column_keys)}) to {target} takes another tenant's row",
                "declare it with tenant_reference(), which carries the tenant",
            )
        if _NULLING & {str(action).upper() for action in (key.ondelete, key.onupdate)}:
            yield f"the foreign key to {target} nulls the tenant with the reference", "use RESTRICT or CASCADE"


def _columns(table: Table) -> Iterator[Fault]:
    for column in table.columns:
        if column.identity is not None or _is_serial(column):
            yield f"{column.name} is counted by the database, over all tenants", "use an id made by new_id()"
        if column.name not in _MADE_IN_PYTHON and (column.default is not None or column.onupdate is not None):
            yield (
                f"{column.name} has a default made in Python, which compiled statements do not run",
                "use server_default",
            )


def _is_serial(column: Column[object]) -> bool:
    return column is column.table.autoincrement_column


def _names(columns: Iterable[Column[object]]) -> list[str]:
    return [column.name for column in columns]
