"""Lists: the query string of a request made a validated request, and that a SQL statement of a bounded set of shapes.

`ListSpec` is declared once, `parse_list` reads a request, `apply_list` builds the statement of its shape (once, then
it is cached), `CursorSigner` makes the cursor of the next page and `page_body` the answer.
"""

from tenantry.query.build import apply_filters, apply_list, count_of, keys_of
from tenantry.query.cursor import CursorSigner
from tenantry.query.decoding import read_pairs
from tenantry.query.errors import (
    ConflictingPaging,
    InvalidCursor,
    InvalidFields,
    InvalidFilter,
    InvalidListRequest,
    InvalidPage,
    InvalidQueryString,
    InvalidSearch,
    InvalidSort,
    OffsetTooDeep,
    RepeatedParameter,
    TooManyFilters,
    UnknownField,
    UnknownFilter,
    UnknownOperator,
    UnknownParameter,
    UnknownSort,
)
from tenantry.query.openapi import openapi_parameters
from tenantry.query.page import page_body
from tenantry.query.parse import parse_list
from tenantry.query.request import ListRequest, ListShape, Paging
from tenantry.query.row_list import ListPage, RowList
from tenantry.query.spec import ListSpec

__all__ = [
    "ConflictingPaging",
    "CursorSigner",
    "InvalidCursor",
    "InvalidFields",
    "InvalidFilter",
    "InvalidListRequest",
    "InvalidPage",
    "InvalidQueryString",
    "InvalidSearch",
    "InvalidSort",
    "ListPage",
    "ListRequest",
    "ListShape",
    "ListSpec",
    "OffsetTooDeep",
    "Paging",
    "RepeatedParameter",
    "RowList",
    "TooManyFilters",
    "UnknownField",
    "UnknownFilter",
    "UnknownOperator",
    "UnknownParameter",
    "UnknownSort",
    "apply_filters",
    "apply_list",
    "count_of",
    "keys_of",
    "openapi_parameters",
    "page_body",
    "parse_list",
    "read_pairs",
]
