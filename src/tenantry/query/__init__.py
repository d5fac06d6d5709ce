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
from tenantry.query.openapi import openapi_parameters, paging_parameters
from tenantry.query.operators import OPERATORS, FilterOperator
from tenantry.query.page import page_body
from tenantry.query.pages import ListPage, json_of, page_statement, read_page, whole_row
from tenantry.query.paging import PageSizes
from tenantry.query.parse import parse_list
from tenantry.query.request import ListRequest, ListShape, Paging
from tenantry.query.row_list import RowList
from tenantry.query.spec import ListSpec

__all__ = [
    "OPERATORS",
    "ConflictingPaging",
    "CursorSigner",
    "FilterOperator",
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
    "PageSizes",
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
    "json_of",
    "keys_of",
    "openapi_parameters",
    "page_body",
    "page_statement",
    "paging_parameters",
    "parse_list",
    "read_page",
    "read_pairs",
    "whole_row",
]
