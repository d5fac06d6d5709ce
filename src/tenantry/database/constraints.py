"""What the constraints of the tables mean when they are violated: an error, and the field that it is about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Column, ForeignKeyConstraint, Index, Table, UniqueConstraint

from tenantry.database.planes import Table as Model
from tenantry.kernel import TenantryError

FIELD = "field"
"""Key in a column's `info`: the field of requests that it is made from, where that is called otherwise; None: none."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """One constraint: the error that its table declares for it in ``__errors__``, and the field that it is about."""

    error: type[TenantryError] | None = None
    field: str | None = None


Constraints = Mapping[str, Constraint]
"""The constraints of an application by name."""


def constraints_of(models: Iterable[type[Model]]) -> dict[str, Constraint]:
    """Return what is known of the constraints of some tables.

    A field is named where a unique or foreign key is about one column, beside the tenant: who sends the same name twice
    is shown which member of the body it was.
    """
    found: dict[str, Constraint] = {}
    for model in models:
        declared: Mapping[str, type[TenantryError]] = getattr(model, "__errors__", {})
        fields = dict(_fields(model.__table__))
        for name in declared.keys() | fields.keys():
            found[name] = Constraint(declared.get(name), fields.get(name))
    return found


def _fields(table: Table) -> Iterator[tuple[str, str]]:
    keys: list[UniqueConstraint | ForeignKeyConstraint | Index] = [
        one for one in table.constraints if isinstance(one, UniqueConstraint | ForeignKeyConstraint)
    ]
    keys += [index for index in table.indexes if index.unique]
    for key in keys:
        columns = [column for column in key.columns if isinstance(column, Column) and column.name != "tenant_id"]
        field = columns[0].info.get(FIELD, columns[0].name) if len(columns) == 1 else None
        if key.name is not None and field is not None:
            yield str(key.name), str(field)
