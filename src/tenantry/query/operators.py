"""The filter operators, one row each: ``filter[field][operator]=operand``.

To add an operator, add its row to `OPERATORS`. The parser, the SQL, the OpenAPI document and the proof of isolation
read the table; nothing else names an operator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, BindParameter, ColumnElement, any_, bindparam

from tenantry.query.list_field import ListField
from tenantry.query.values import BOOLEAN, TEXT, UUIDS, VALUE_TYPES, Operand, ValueType, like_pattern

SHORT = "eq"
"""The operator of ``filter[field]``, which names none."""

MAX_IN = 100
"""Values of one ``in`` filter."""


@dataclass(frozen=True, slots=True, eq=False)
class FilterOperator:
    """One row: which columns have the operator, what it is given, what it becomes in SQL and says in the document."""

    name: str
    types: frozenset[ValueType]
    """The types of columns that have it."""
    operand: Callable[[ValueType], Operand]
    """From a column's type to what is given: how that is read, bound and documented."""
    condition: Callable[[ListField, BindParameter[Any]], ColumnElement[bool]]
    """From the column and the bound operand to SQL."""
    meaning: str
    """The end of the sentence "Items whose name is …"."""
    only_nullable: bool = False
    """Whether columns that are never empty lack it."""
    negates: bool = False
    """Whether it finds what does *not* have the value: then an id of another tenant finds something."""

    @property
    def searches(self) -> bool:
        """Whether it looks into texts: no other type has it."""
        return self.types == _TEXTS

    def fits(self, field: ListField) -> bool:
        """Say whether the field has this operator."""
        return field.type in self.types and (field.nullable or not self.only_nullable)


def _one(of: ValueType) -> Operand:
    return of


def _several(of: ValueType) -> Operand:
    # A comma separates, so no value has one.
    listed = {"minLength": 1, "pattern": "^[^,\\u0000]+$"} if of is TEXT else {}
    return Operand(
        noun=f"1 to {MAX_IN} values, separated by commas, each {of.noun}",
        sql=ARRAY(of.sql),  # as many values as they may be, the statement stays the same
        parse=lambda text: tuple([of.parse(part) for part in _parts(text)]),  # remembered, so unchangeable
        schema={"type": "array", "items": {**of.schema, **listed}, "minItems": 1, "maxItems": MAX_IN},
    )


def _parts(text: str) -> list[str]:
    parts = text.split(",", MAX_IN)
    if len(parts) > MAX_IN or "" in parts:
        raise ValueError(text)
    return parts


def _matching(pattern: Callable[[str], str]) -> Callable[[ValueType], Operand]:
    """Return the operand that is a text, and bound as the LIKE pattern made of it."""
    return lambda of: Operand(of.noun, of.sql, lambda text: pattern(str(of.parse(text))), of.schema)


def _flag(_: ValueType) -> Operand:
    return BOOLEAN


def _differs(field: ListField, value: BindParameter[Any]) -> ColumnElement[bool]:
    # The complement of `eq`: what has no value differs from every value.
    return field.column.is_distinct_from(value) if field.nullable else field.column != value


_TEXTS = frozenset({TEXT})
_ORDERED = VALUE_TYPES - {UUIDS, BOOLEAN}

OPERATORS = (
    FilterOperator("eq", VALUE_TYPES, _one, lambda field, value: field.column == value, "equal to the value"),
    FilterOperator("ne", VALUE_TYPES, _one, _differs, "different from the value, or empty", negates=True),
    FilterOperator("lt", _ORDERED, _one, lambda field, value: field.ordered < value, "less than the value"),
    FilterOperator("lte", _ORDERED, _one, lambda field, value: field.ordered <= value, "at most the value"),
    FilterOperator("gt", _ORDERED, _one, lambda field, value: field.ordered > value, "greater than the value"),
    FilterOperator("gte", _ORDERED, _one, lambda field, value: field.ordered >= value, "at least the value"),
    FilterOperator(
        "in",
        VALUE_TYPES - {BOOLEAN},
        _several,
        lambda field, values: field.column == any_(values),
        "one of the values, separated by commas",
    ),
    FilterOperator(
        "contains",
        _TEXTS,
        _matching(like_pattern),
        lambda field, pattern: field.searched.ilike(pattern),
        "containing the text, upper and lower case alike",
    ),
    FilterOperator(
        "null",
        VALUE_TYPES,
        _flag,
        lambda field, flag: field.column.is_(None) == flag,
        "empty (true) or not empty (false)",
        only_nullable=True,
    ),
)
"""Every operator, in the order of the document."""


@dataclass(frozen=True, slots=True, eq=False)
class ListFilter:
    """One operator on one field of a list, made at start."""

    field: ListField
    operator: FilterOperator
    operand: Operand

    @property
    def term(self) -> tuple[str, str]:
        """Field and operator, as a `ListShape` has them."""
        return self.field.name, self.operator.name

    @property
    def parameter(self) -> str:
        """Its name in the query string and in the document."""
        return f"filter[{self.field.name}]" if self.operator.name == SHORT else self.long_parameter

    @property
    def long_parameter(self) -> str:
        """Its name with the operator, which is accepted for every filter."""
        return f"filter[{self.field.name}][{self.operator.name}]"

    @property
    def meaning(self) -> str:
        """What it finds, as a sentence."""
        return f"Items whose {self.field.name} is {self.operator.meaning}."

    def condition(self, name: str) -> ColumnElement[bool]:
        """Return the condition; `name` is that of the bound parameter."""
        return self.operator.condition(self.field, bindparam(name, type_=self.operand.sql))


def filters_of(field: ListField) -> Mapping[str, ListFilter]:
    """Return the filters that a field has, by operator, in the order of the table."""
    fitting = [operator for operator in OPERATORS if operator.fits(field)]
    return {operator.name: ListFilter(field, operator, operator.operand(field.type)) for operator in fitting}
