"""Compiled statements: SQLAlchemy expressions turned into SQL text once, then sent straight to asyncpg.

Compiling an ORM statement for every request is most of what an ORM costs; compiled once, door 1 of the unit of work
costs what asyncpg costs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import BindParameter, ClauseElement, ColumnElement, Text, bindparam, literal_column
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.sql.compiler import SQLCompiler

_DIALECT = dialect()  # type: ignore[no-untyped-call]
_CHANGED = re.compile(r"(?:\bINSERT INTO|\bDELETE FROM|(?<!KEY )(?<!FOR )\bUPDATE) ([\w.]+)")
_LOCKED = re.compile(r"\bFOR (?:NO KEY UPDATE|UPDATE|KEY SHARE|SHARE)(?: OF ([\w., ]+))?")
_READ = re.compile(r"\b(?:FROM|JOIN) ([\w.]+)")


class Statement:
    """SQL text with the order of its named parameters.

    Parameters that the expression fixes (``literal(5)``) keep their value; named ones (``bindparam("id")``) come with
    each call. `writes` are the tables whose rows the statement changes or locks, so that an open ORM session must read
    them again.

    >>> from sqlalchemy import bindparam, column, select, table, Uuid
    >>> items = table("items", column("id", Uuid))
    >>> statement = Statement(select(items.c.id).where(items.c.id == bindparam("id")))
    >>> statement.sql.splitlines()[-1]
    'WHERE items.id = $1::UUID'
    """

    __slots__ = ("_binds", "deletes", "sql", "writes")

    def __init__(self, expression: ClauseElement) -> None:
        compiled = expression.compile(dialect=_DIALECT)
        if not isinstance(compiled, SQLCompiler):
            raise TypeError(f"{type(expression).__name__} is not a statement with parameters")
        self.sql: str = compiled.string
        self.writes = _written(self.sql)
        self.deletes = "DELETE FROM" in self.sql
        self._binds = [_Bind(compiled, name) for name in compiled.positiontup or ()]

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """Return the positional arguments for asyncpg.

        Raises `KeyError` naming a parameter that has no value.
        """
        return [bind.take(values) for bind in self._binds]


def _written(sql: str) -> frozenset[str]:
    """Return the tables whose rows a statement changes or locks; a lock that names no table is on all that it reads."""
    names = set(_CHANGED.findall(sql))
    for locked in _LOCKED.findall(sql):
        names.update(locked.replace(",", " ").split() if locked else _READ.findall(sql))
    return frozenset(name.rpartition(".")[2] for name in names)


def given(*columns: str) -> dict[str, BindParameter[Any]]:
    """Return columns that a statement takes from parameters of the same names, for `values`.

    >>> sorted(given("name", "email"))
    ['email', 'name']
    """
    return {column: bindparam(column) for column in columns}


def sql_literal(text: str) -> ColumnElement[str]:
    """Return a text of the code's own as part of the statement, not as one more parameter of every call.

    >>> print(sql_literal("it's"))
    'it''s'
    """
    return literal_column("'" + text.replace("'", "''") + "'", Text)


class _Bind:
    """One position: the parameter's name, its fixed value if it has one, and the type's conversion if it has one."""

    __slots__ = ("fixed", "name", "process", "required")

    def __init__(self, compiled: SQLCompiler, name: str) -> None:
        parameter = compiled.binds[name]
        self.name = name
        self.required = parameter.required
        self.process: Callable[[Any], Any] | None = parameter.type.dialect_impl(_DIALECT).bind_processor(_DIALECT)
        value = None if self.required else parameter.effective_value
        self.fixed = self.process(value) if self.process and value is not None else value

    def take(self, values: Mapping[str, Any]) -> Any:
        if self.name in values:
            value = values[self.name]
            return value if self.process is None or value is None else self.process(value)
        if self.required:
            raise KeyError(self.name)
        return self.fixed
