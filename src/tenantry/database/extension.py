"""Columns of an application's own on tables of the framework."""

from __future__ import annotations

from sqlalchemy.orm import MappedColumn

from tenantry.database.planes import Table
from tenantry.kernel import ConfigurationError

EXTENSION = "extension_of"
"""Key in a column's ``info``: the module that added it; the chain of its package makes the column."""


def extend(model: type[Table], *, by: str, **columns: MappedColumn[object]) -> None:
    """Add columns to a table of the framework; call it where the application declares its models, with ``by=__name__``.

    ``tenantry migration new <application>/control "…"`` writes the migration: the columns belong to the application's
    chain, the table stays the framework's. A column is nullable or has a server default, because the framework adds
    rows without it. Raises `ConfigurationError` where it is neither, or where the table has such a column.

    >>> from sqlalchemy import String
    >>> from sqlalchemy.orm import mapped_column
    >>> from tenantry.tenancy import Team
    >>> extend(Team, by="shop.people", colour=mapped_column(String(20)))  # doctest: +SKIP
    """
    table = model.__table__
    for name, column in columns.items():
        if name in table.c:
            raise ConfigurationError(f"{table.name}.{name} exists already; choose another name.")
        made = column.column
        if made.nullable is False and made.server_default is None:
            raise ConfigurationError(
                f"{table.name}.{name}: rows are added without it, so make it nullable or give it a server_default."
            )
        made.info[EXTENSION] = by
        setattr(model, name, column)
