"""The filters of a list: ``filter[field]=value`` and ``filter[field][operator]=value``, typed by the field's column."""

from __future__ import annotations

from collections.abc import Mapping

from tenantry.query.errors import InvalidFilter, RepeatedParameter, TooManyFilters
from tenantry.query.spec import ListSpec
from tenantry.query.values import boolean, like_pattern

MAX_FILTERS = 20
MAX_IN = 100
"""Values of one ``in`` filter."""


def read_filters(pairs: Mapping[str, str], spec: ListSpec) -> tuple[tuple[tuple[str, str], ...], dict[str, object]]:
    """Return the filters in canonical order, (field, operator), and their values as ``f0``, ``f1``…

    Raises `InvalidFilter`, `RepeatedParameter` or `TooManyFilters`. What is no filter is passed over.
    """
    found: dict[tuple[str, str], object] = {}
    for parameter, text in pairs.items():
        term = spec.filter_parameters.get(parameter)
        if term is None:
            continue
        if term in found:  # filter[name] and filter[name][eq] are one filter
            raise RepeatedParameter.at(parameter, "Give it once.")
        found[term] = _value(text, parameter, term, spec)
    if len(found) > MAX_FILTERS:
        raise TooManyFilters(f"At most {MAX_FILTERS} filters.")
    terms = tuple(sorted(found))
    return terms, {f"f{position}": found[term] for position, term in enumerate(terms)}


def _value(text: str, parameter: str, term: tuple[str, str], spec: ListSpec) -> object:
    name, op = term
    value_type = spec.filters[name].type
    try:
        match op:
            case "null":
                return boolean(text)
            case "in":
                return tuple([value_type.parse(part) for part in _parts(text)])  # remembered, so unchangeable
            case "contains":
                return like_pattern(str(value_type.parse(text)))
            case _:
                return value_type.parse(text)
    except (ValueError, OverflowError):
        raise InvalidFilter.at(parameter, _expectation(op, value_type.noun)) from None


def _expectation(op: str, noun: str) -> str:
    if op == "in":
        return f"It takes 1 to {MAX_IN} values, separated by commas, each {noun}."
    return "It takes true or false." if op == "null" else f"It takes {noun}."


def _parts(text: str) -> list[str]:
    parts = text.split(",", MAX_IN)
    if len(parts) > MAX_IN or "" in parts:
        raise ValueError(text)
    return parts
