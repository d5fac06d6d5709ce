"""A validated list request: its shape, which a statement is compiled for once, and its values, which are bound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Paging(StrEnum):
    """Where a page starts: at the beginning, after a number of rows, or after a row."""

    NONE = "none"
    OFFSET = "offset"
    KEYSET = "keyset"


@dataclass(frozen=True, slots=True)
class ListShape:
    """All of a request that changes the SQL text, in one canonical spelling; the key of the statement cache.

    Two requests that differ only in values, or in the order of their parameters, have one shape.
    """

    filters: tuple[tuple[str, str], ...]
    """(field, operator), sorted; the value of the i-th is the parameter ``f<i>``."""
    sort: tuple[tuple[str, bool], ...]
    """(field, descending); ``id`` is always the last."""
    paging: Paging = Paging.NONE
    null_keys: tuple[bool, ...] = ()
    """For a keyset: which keys of the cursor's row are NULL, beside `sort`. The others are ``k<i>``."""
    search: bool = False
    fields: tuple[str, ...] | None = None
    """The chosen fields in the schema's order, ``id`` among them; None is all."""
    with_total: bool = False


@dataclass(frozen=True, slots=True)
class ListRequest:
    """A shape with its values."""

    shape: ListShape
    params: Mapping[str, object]
    """Read-only values for the statement: ``limit`` and, by shape, ``offset``, ``q``, ``f0``…, ``k0``…"""
    limit: int
    """Items on the page; the statement reads one row more, to know whether there are others."""
