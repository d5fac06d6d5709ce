"""What can be wrong with the query string of a list: each failure is a 400 with a code of its own."""

from __future__ import annotations

from tenantry.kernel import BadRequest


class InvalidListRequest(BadRequest):
    """The list request is not valid."""


class InvalidQueryString(InvalidListRequest):
    """The query string cannot be read."""


class UnknownParameter(InvalidListRequest):
    """There is no such query parameter."""


class RepeatedParameter(InvalidListRequest):
    """A query parameter was given twice."""


class UnknownFilter(InvalidListRequest):
    """This list cannot be filtered by that field."""


class UnknownOperator(InvalidListRequest):
    """That field has no such filter operator."""


class InvalidFilter(InvalidListRequest):
    """The filter's value is not valid for its field."""


class TooManyFilters(InvalidListRequest):
    """There are too many filters."""


class InvalidSearch(InvalidListRequest):
    """The search text is not valid."""


class UnknownSort(InvalidListRequest):
    """This list cannot be sorted by that field."""


class InvalidSort(InvalidListRequest):
    """The sort order is not valid."""


class UnknownField(InvalidListRequest):
    """The items of this list have no such field."""


class InvalidFields(InvalidListRequest):
    """The choice of fields is not valid."""


class InvalidPage(InvalidListRequest):
    """The page parameters are not valid."""


class ConflictingPaging(InvalidListRequest):
    """Two ways of paging were mixed."""


class OffsetTooDeep(InvalidListRequest):
    """The page is too deep to be counted off."""


class InvalidCursor(InvalidListRequest):
    """The cursor is not valid for this list."""
