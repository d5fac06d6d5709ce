"""An operator is one row of a table: from there it is read, becomes SQL, and is documented."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from tests.query.conftest import DIALECT, PUBLIC, SIZES, TASKS, Lists

from tenantry.kernel import new_id
from tenantry.query import (
    OPERATORS,
    FilterOperator,
    InvalidFilter,
    ListSpec,
    UnknownOperator,
    apply_list,
    openapi_parameters,
    operators,
    parse_list,
)
from tenantry.query.values import TEXT, Operand

STARTSWITH = FilterOperator(
    "startswith",
    frozenset({TEXT}),
    lambda of: Operand("the beginning of a text", of.sql, lambda text: f"{of.parse(text)}%", of.schema),
    lambda field, pattern: field.searched.like(pattern),
    "beginning with the text",
)


@pytest.fixture
def spec(monkeypatch: pytest.MonkeyPatch) -> ListSpec:
    """A list that was declared while one more row stood in the table."""
    monkeypatch.setattr(operators, "OPERATORS", (*OPERATORS, STARTSWITH))
    return ListSpec(dict(TASKS.columns), fields=PUBLIC, filters=PUBLIC, sorts={"name"}, default_sort="name")


def test_a_planted_operator_is_read_and_bound(spec, signer) -> None:
    request = parse_list(b"filter[name][startswith]=Ad", spec, signer=signer, binding="b", sizes=SIZES)
    assert (request.shape.filters, request.params["f0"]) == ((("name", "startswith"),), "Ad%")

    text = str(apply_list(select(TASKS.c.id), request.shape, spec).compile(dialect=DIALECT))
    assert 'WHERE (tasks.name COLLATE "default") LIKE $1' in text


@pytest.mark.anyio
async def test_a_planted_operator_finds_its_rows(spec, lists) -> None:
    row = {"rank": 0, "created_at": datetime(2031, 5, 1, tzinfo=UTC), "done": True}
    await lists.insert([row | {"id": new_id(), "name": name} for name in ("Ada", "Adam", "Eve", "Nevada")])
    planted = Lists(lists.connection, spec, lists.signer)
    assert await planted.names("filter[name][startswith]=Ad") == ["Ada", "Adam"]


def test_a_planted_operator_is_documented_where_it_is_accepted_and_nowhere_else(spec, signer) -> None:
    told = {one["name"]: one for one in openapi_parameters(spec) if one["name"].endswith("[startswith]")}
    assert sorted(told) == [f"filter[{name}][startswith]" for name in ("body", "name", "nick")]
    assert told["filter[name][startswith]"]["description"] == "Items whose name is beginning with the text."
    assert told["filter[name][startswith]"]["schema"] == TEXT.schema

    with pytest.raises(UnknownOperator):
        parse_list(b"filter[rank][startswith]=1", spec, signer=signer, binding="b", sizes=SIZES)
    with pytest.raises(InvalidFilter, match="It takes the beginning of a text"):
        parse_list(b"filter[name][startswith]=" + b"x" * 501, spec, signer=signer, binding="b", sizes=SIZES)
