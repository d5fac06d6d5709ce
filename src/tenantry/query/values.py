"""The six types of values that lists are filtered and sorted by: how each is spelled, bound, packed and documented.

Only these: their comparison operators are leakproof, so PostgreSQL may use an index below a row security policy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Date, DateTime, Enum, Integer, String, Uuid
from sqlalchemy.types import TypeDecorator, TypeEngine

MAX_TEXT = 500
"""Characters of a text that is filtered by."""

INT8 = range(-(2**63), 2**63)

# ASCII digits only (`\d` also means ٣), no `1_000`, no 5,000 digits. The patterns are in the OpenAPI document too.
_INTEGER = re.compile(r"-?[0-9]{1,19}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DATE = re.compile(r"^(?!0000)[0-9]{4}-[0-9]{2}-[0-9]{2}$")
# The first and the last day that Python knows take no offset that could lead out of the calendar.
_TIMESTAMP = re.compile(
    r"^(?!0000|0001-01-01.*\+|9999-12-31.*:..(\.[0-9]+)?-)[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt]"
    r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)
_TEXT = "^[^\\u0000]*$"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

# How asyncpg spells the ends of time, in both directions: the greatest and the least *naive* datetime (and date).
_BEYOND = {"infinity": datetime.max, "-infinity": datetime.min}  # noqa: DTZ901


@dataclass(frozen=True, slots=True, eq=False)
class Operand:
    """What a filter is given.

    `parse` reads the spelling of the query string and raises `ValueError` for any other; `sql` is what the value is
    bound as; `schema` is JSON Schema of exactly what `parse` reads; `noun` says it in refusals.
    """

    noun: str
    sql: TypeEngine[Any]
    parse: Callable[[str], object]
    schema: Mapping[str, object]


@dataclass(frozen=True, slots=True, eq=False)
class ValueType(Operand):
    """One type of column values; `pack` and `unpack` are for cursors."""

    tag: bytes
    """Marks the type of a packed value; never reused."""
    pack: Callable[[Any], bytes]
    unpack: Callable[[bytes], object]

    def read(self, value: object) -> object:
        """Return the value of this type that a JSON document spells, as PostgreSQL wrote it; None stays None."""
        if not isinstance(value, str) or self is TEXT:
            return value
        if value in _BEYOND:
            return _BEYOND[value] if isinstance(self.sql, DateTime) else _BEYOND[value].date()
        return self.parse(value)


def integer(text: str) -> int:
    """Read an integer that PostgreSQL's bigint can hold.

    >>> integer("-12")
    -12
    >>> integer("1_000")
    Traceback (most recent call last):
    ...
    ValueError: 1_000
    """
    if not _INTEGER.fullmatch(text) or (number := int(text)) not in INT8:
        raise ValueError(text)
    return number


def boolean(text: str) -> bool:
    """Read ``true`` or ``false``; raises `ValueError` for everything else."""
    if text not in ("true", "false"):
        raise ValueError(text)
    return text == "true"


def like_pattern(text: str) -> str:
    r"""Return the LIKE pattern that finds `text` anywhere, its wildcards taken literally.

    The escape character is PostgreSQL's default, so statements need no ESCAPE (which SQLAlchemy would render with
    two backslashes, and PostgreSQL refuse).

    >>> print(like_pattern(r"50% of a\b_c"))
    %50\% of a\\b\_c%
    """
    return "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"


def value_type_of(sql: TypeEngine[Any]) -> ValueType | None:
    """Return how values of a column of this type are handled, or None if its operators are not leakproof.

    >>> from sqlalchemy import Numeric, Text
    >>> value_type_of(Text()) is TEXT, value_type_of(Numeric())
    (True, None)
    """
    if isinstance(sql, TypeDecorator):
        return value_type_of(sql.impl_instance)
    if isinstance(sql, Enum) or (isinstance(sql, DateTime) and not sql.timezone):
        return None  # Enum is a String to SQLAlchemy and a type of its own to PostgreSQL
    return next((value_type for known, value_type in _BY_SQL_TYPE if isinstance(sql, known)), None)


def _text(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise ValueError(text[:MAX_TEXT])
    return text


def _uuid(text: str) -> UUID:
    if not _UUID.fullmatch(text):
        raise ValueError(text)
    return UUID(text)


def _date(text: str) -> date:
    if not _DATE.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)


def _timestamp(text: str) -> datetime:
    if not _TIMESTAMP.fullmatch(text):
        raise ValueError(text)
    return datetime.fromisoformat(text.upper()).astimezone(UTC)


def _pack_integer(number: int) -> bytes:
    return number.to_bytes(8, "big", signed=True)


def _unpack_integer(packed: bytes) -> int:
    return int.from_bytes(packed, "big", signed=True)


def _pack_timestamp(at: datetime) -> bytes:
    # asyncpg spells 'infinity' and '-infinity' as the greatest and the least *naive* datetime, in both directions.
    if at.tzinfo is None:
        return _pack_integer(INT8[-1] if at == datetime.max else INT8[0])  # noqa: DTZ901
    return _pack_integer((at - _EPOCH) // _MICROSECOND)


def _unpack_timestamp(packed: bytes) -> datetime:
    microseconds = _unpack_integer(packed)
    if microseconds in (INT8[-1], INT8[0]):
        return datetime.max if microseconds > 0 else datetime.min  # noqa: DTZ901
    return _EPOCH + microseconds * _MICROSECOND


TEXT = ValueType(
    f"a text of at most {MAX_TEXT} characters",
    String(),
    _text,
    {"type": "string", "maxLength": MAX_TEXT, "pattern": _TEXT},
    b"t",
    str.encode,
    bytes.decode,
)
INTEGER = ValueType(
    "an integer of 64 bits",
    BigInteger(),
    integer,
    {"type": "integer", "format": "int64", "minimum": INT8[0], "maximum": INT8[-1]},
    b"i",
    _pack_integer,
    _unpack_integer,
)
UUIDS = ValueType(
    "a UUID",
    Uuid(),
    _uuid,
    {"type": "string", "format": "uuid"},
    b"u",
    lambda value: bytes(value.bytes),
    lambda packed: UUID(bytes=packed),
)
DATE = ValueType(
    "a date such as 2031-12-24",
    Date(),
    _date,
    {"type": "string", "format": "date", "pattern": _DATE.pattern},
    b"d",
    lambda value: _pack_integer(value.toordinal()),
    lambda packed: date.fromordinal(_unpack_integer(packed)),
)
TIMESTAMP = ValueType(
    "a time with offset such as 2031-12-24T18:00:00Z (write %2B for a plus sign)",
    DateTime(timezone=True),
    _timestamp,
    {"type": "string", "format": "date-time", "pattern": _TIMESTAMP.pattern},
    b"s",
    _pack_timestamp,
    _unpack_timestamp,
)
BOOLEAN = ValueType(
    "true or false",
    Boolean(),
    boolean,
    {"type": "boolean"},
    b"b",
    lambda value: b"\1" if value else b"\0",
    lambda packed: packed == b"\1",
)

_BY_SQL_TYPE: tuple[tuple[type[TypeEngine[Any]], ValueType], ...] = (
    (String, TEXT),
    (Boolean, BOOLEAN),
    (Integer, INTEGER),
    (Uuid, UUIDS),
    (DateTime, TIMESTAMP),
    (Date, DATE),
)

VALUE_TYPES = frozenset(value_type for _, value_type in _BY_SQL_TYPE)
"""All six."""
