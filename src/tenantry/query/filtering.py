"""The filters of a list request: each parameter is looked up in the spec, and its operand read as the operator says."""

from __future__ import annotations

from collections.abc import Mapping

from tenantry.query.errors import InvalidFilter, RepeatedParameter, TooManyFilters
from tenantry.query.spec import ListSpec

MAX_FILTERS = 20


def read_filters(pairs: Mapping[str, str], spec: ListSpec) -> tuple[tuple[tuple[str, str], ...], dict[str, object]]:
    """Return the filters in canonical order, (field, operator), and their values as ``f0``, ``f1``…

    Raises `InvalidFilter`, `RepeatedParameter` or `TooManyFilters`. What is no filter is passed over.
    """
    found: dict[tuple[str, str], object] = {}
    for parameter, text in pairs.items():
        asked = spec.filter_parameters.get(parameter)
        if asked is None:
            continue
        term = asked.term
        if term in found:  # filter[name] and filter[name][eq] are one filter
            raise RepeatedParameter.at(f"?{parameter}", "Give it once.")
        try:
            found[term] = asked.operand.parse(text)
        except (ValueError, OverflowError):
            raise InvalidFilter.at(f"?{parameter}", f"It takes {asked.operand.noun}.") from None
    if len(found) > MAX_FILTERS:
        raise TooManyFilters(f"At most {MAX_FILTERS} filters.")
    terms = tuple(sorted(found))
    return terms, {f"f{position}": found[term] for position, term in enumerate(terms)}
