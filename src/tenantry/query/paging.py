"""The three spellings of a page: ``page`` and ``page_size``, ``skip`` and ``limit``, ``cursor`` with either size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tenantry.kernel import FieldError
from tenantry.query.errors import ConflictingPaging, InvalidPage, OffsetTooDeep
from tenantry.query.values import INT8, integer

MAX_DEPTH = 100_000
"""Rows that paging by number reaches; each of them is read and thrown away by PostgreSQL, page after page."""

_SPELLINGS = (
    frozenset({"page", "page_size"}),
    frozenset({"skip", "limit"}),
    frozenset({"cursor", "page_size"}),
    frozenset({"cursor", "limit"}),
)
_NAMES = frozenset().union(*_SPELLINGS)


@dataclass(frozen=True, slots=True, eq=False)
class PageSizes:
    """How many items a page has: `default` where the request does not say, `largest` at most.

    One for the process, and compared by identity: it is part of the key by which read requests are remembered.
    """

    default: int
    largest: int


@dataclass(frozen=True, slots=True)
class Page:
    """Where a page starts and how many items it has."""

    limit: int
    offset: int = 0
    cursor: str | None = None


def read_page(pairs: Mapping[str, str], sizes: PageSizes) -> Page:
    """Return the page that the parameters ask for.

    Raises `ConflictingPaging`, `InvalidPage` or `OffsetTooDeep`.

    >>> read_page({"page": "3", "page_size": "20"}, PageSizes(50, 200))
    Page(limit=20, offset=40, cursor=None)
    >>> read_page({"skip": "7"}, PageSizes(50, 200))
    Page(limit=50, offset=7, cursor=None)
    """
    given = pairs.keys() & _NAMES
    if not given:
        return Page(sizes.default)
    if not any(given <= spelling for spelling in _SPELLINGS):
        raise _conflict(given)
    size = "limit" if "limit" in given else "page_size"
    limit = _whole(pairs, size, 1, sizes.largest) if size in given else sizes.default
    if "cursor" in given:
        return Page(limit, cursor=pairs["cursor"])
    if "skip" in given:
        # Without regard to the limit, so that the greatest skip can be written into the OpenAPI document.
        return Page(limit, _within_depth("skip", _whole(pairs, "skip", 0, INT8[-1]), MAX_DEPTH - sizes.largest))
    number = _whole(pairs, "page", 1, INT8[-1]) if "page" in given else 1
    return Page(limit, (_within_depth("page", number, MAX_DEPTH // limit) - 1) * limit)


def _whole(pairs: Mapping[str, str], name: str, least: int, most: int) -> int:
    try:
        number = integer(pairs[name])
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        raise InvalidPage.at(f"?{name}", f"It takes a whole number from {least} to {most}.")
    return number


def _within_depth(name: str, number: int, deepest: int) -> int:
    if number > deepest:
        raise OffsetTooDeep.at(f"?{name}", f"At most {deepest}; go on with cursor=, from next_cursor of a page.")
    return number


def _conflict(given: Iterable[str]) -> ConflictingPaging:
    way_out = "Use page with page_size, or skip with limit, or cursor with page_size or limit."
    errors = [FieldError(f"?{name}", way_out, ConflictingPaging.code) for name in sorted(given)]
    return ConflictingPaging(way_out, errors=errors)
