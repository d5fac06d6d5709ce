"""What filters and search find, and that whatever the parser lets through is SQL that runs."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, date, datetime
from urllib.parse import quote
from uuid import UUID

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from sqlalchemy import String, func, select

from tenantry.kernel import new_id
from tenantry.query import OPERATORS, InvalidListRequest, apply_list, keys_of

pytestmark = pytest.mark.anyio

DAY = datetime(2031, 5, 1, tzinfo=UTC)


@pytest.fixture
async def five(lists):
    """Five rows, a to e, with values that fall on both sides of each comparison, and NULLs."""
    for i, name in enumerate("abcde"):
        empty = name == "e"
        await lists.insert(
            [
                {
                    "id": new_id(),
                    "name": name,
                    "nick": None if empty else name.upper(),
                    "rank": i,
                    "score": None if empty else i,
                    "due_on": None if empty else date(2031, 5, 1 + i),
                    "seen_at": None if empty else DAY.replace(day=1 + i),
                    "created_at": DAY,
                    "done": i % 2 == 0,
                    "flagged": None if empty else i % 2 == 0,
                    "owner_id": None if empty else UUID(int=i),
                }
            ]
        )
    return lists


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("filter[name]=b", "b"),
        ("filter[name][ne]=b", "acde"),
        ("filter[name][gte]=c", "cde"),
        ("filter[nick][in]=A,B,nobody", "ab"),
        ("filter[nick][ne]=A", "bcde"),
        ("filter[nick][contains]=c", "c"),
        ("filter[nick][null]=true", "e"),
        ("filter[nick][null]=false", "abcd"),
        ("filter[rank][gt]=1&filter[rank][lt]=4", "cd"),
        ("filter[rank]=9223372036854775807", ""),
        ("filter[score][lte]=1", "ab"),
        ("filter[rank][in]=0,4", "ae"),
        ("filter[due_on][lt]=2031-05-03", "ab"),
        ("filter[due_on][lte]=9999-12-31", "abcd"),
        ("filter[seen_at][gte]=2031-05-03T02:00:00%2B02:00", "cd"),
        ("filter[done]=false", "bd"),
        ("filter[flagged][ne]=true", "bde"),
        ("filter[owner_id]=00000000-0000-0000-0000-000000000002", "c"),
        ("filter[owner_id][in]=00000000-0000-0000-0000-000000000002,00000000-0000-0000-0000-000000000003", "cd"),
        ("search=B", "b"),
        ("search=B&filter[done]=true", ""),
    ],
)
async def test_each_operator_finds_its_rows_and_the_total_counts_them(five, query, names) -> None:
    assert await five.names(f"{query}&sort=name") == list(names)
    assert await five.total(f"{query}&with_total=true&page_size=1") == len(names)


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("%", ["100%"]),
        ("_", ["a_b"]),
        ("\\", ["back\\slash"]),
        ("0%", ["100%"]),
        ("%%", []),
        ("K\\S", ["back\\slash"]),
        ("ÉCOLE", ["école"]),
        ("'; DROP TABLE tasks; --", ["'; drop table tasks; --"]),
        ("", ["'; drop table tasks; --", "100%", "a_b", "axb", "back\\slash", "école"]),
    ],
)
async def test_search_takes_wildcards_literally_and_case_lightly_s2_12(lists, search, found) -> None:
    names = ["100%", "a_b", "axb", "back\\slash", "école", "'; drop table tasks; --"]
    await lists.insert([{"id": new_id(), "name": name, "rank": 0, "created_at": DAY, "done": True} for name in names])

    assert await lists.names(f"sort=name&search={quote(search)}") == found
    assert await lists.names(f"sort=name&filter[name][contains]={quote(search)}") == found


async def test_search_looks_at_every_declared_column_and_no_other(lists) -> None:
    row = {"id": new_id(), "name": "n", "nick": "apple", "body": "pear", "secret": "plum", "rank": 0, "done": True}
    await lists.insert([row | {"created_at": DAY}])

    assert [await lists.names(f"search={word}") for word in ("ppl", "EAR", "plum")] == [["n"], ["n"], []]


async def test_postgresql_can_render_the_page_and_hand_over_the_keys_in_one_statement(five, spec) -> None:
    """The way the resources use it: JSON of `limit` items, whether there are more, and the last item's keys."""
    request = five.parse("sort=-rank&page_size=2")
    table = spec.id.column.table
    page = apply_list(select(table.c.name, *keys_of(request.shape, spec)), request.shape, spec).cte("page")
    statement = select(func.json_agg(page.c.name).cast(String), func.array_agg(page.c["_k0"]))

    (row,) = await five.fetch(statement, request.params)

    assert json.loads(row[0]) == ["e", "d", "c"]
    assert row[1] == [4, 3, 2]


POISON = [
    "", "0", "-1", str(2**31), str(2**63 - 1), str(2**63), "1e400", "NaN", "Infinity", "sNaN", "9" * 400, "1_000", "٣",
    "true", "null", "9999-12-31", "0001-01-01", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00Z", "0001-01-01T00:00:00%2B14:00", "00000000-0000-0000-0000-000000000000", "%00", "%ff",
    "%ED%A0%80", "%EF%BF%BF", "%F4%8F%BF%BF", "%E2%80%AE", "%E2%80%8B", "%27", "%22",
    "\\", "%25", "_", "{}", "{1,2}", "a,b", ",", "$1",
    "%3B", "--", "()", "x" * 500,
]  # fmt: skip


async def test_poison_in_every_parameter_is_a_400_or_runs_in_03(five, spec) -> None:
    ran = 0
    for parameter in sorted(spec.parameters):
        for value in POISON:
            with contextlib.suppress(InvalidListRequest):
                await five.page(f"{parameter}={value}")
                ran += 1
    assert ran > 500


a_flag = st.sampled_from(["true", "false"])
an_integer = st.integers(-(2**63), 2**63 - 1).map(str)
a_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
a_date = st.dates().map(date.isoformat)
a_time = st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)
VALUES = {"id": st.uuids().map(str), "name": a_text, "nick": a_text, "body": a_text, "rank": an_integer,
          "score": an_integer, "due_on": a_date, "seen_at": a_time, "created_at": a_time, "done": a_flag,
          "flagged": a_flag, "owner_id": st.uuids().map(str)}  # fmt: skip


@st.composite
def queries(draw: st.DrawFn) -> str:
    """Query strings of every form that there is; an operator may not suit its field."""
    terms = st.tuples(st.sampled_from(sorted(VALUES)), st.sampled_from([one.name for one in OPERATORS]))
    pairs = []
    for name, op in draw(st.lists(terms, max_size=4, unique=True)):
        value = a_flag if op == "null" else VALUES[name]
        if op == "in":
            value = st.lists(value.filter(lambda text: text and "," not in text), min_size=1).map(",".join)
        pairs.append((f"filter[{name}][{op}]", draw(value)))
    sorts = st.lists(st.sampled_from(sorted({*VALUES} - {"id", "body"})), max_size=4, unique=True)
    if names := draw(sorts):
        pairs.append(("sort", ",".join(draw(st.sampled_from(["", "-"])) + name for name in names)))
    pairs += draw(st.sampled_from([[], [("page", "3")], [("skip", "1"), ("limit", "2")], [("page_size", "1")]]))
    pairs += draw(st.sampled_from([[], [("search", "a%_\\")], [("with_total", "true"), ("fields", "name")]]))
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=queries())
async def test_every_valid_request_is_sql_that_runs(five, query) -> None:
    try:
        five.parse(query)
    except InvalidListRequest as refused:
        event(refused.code)
        return
    event("ran")
    _, cursor = await five.page(query)
    await five.total(query)
    if cursor is not None:
        rest = "&".join(pair for pair in query.split("&") if not pair.startswith(("page=", "skip=")))
        await five.page(f"{rest}&cursor={cursor}")


async def test_the_length_of_a_list_makes_no_other_statement(five) -> None:
    await five.page("filter[rank][in]=1")
    await five.page("filter[rank][in]=1,2,3")
    assert len(five.statements) == 1


async def test_texts_are_sorted_and_compared_byte_by_byte_on_every_server(five) -> None:
    _, cursor = await five.page("sort=nick&filter[nick][gt]=A&limit=1")
    await five.page(f"sort=nick&filter[nick][gt]=A&limit=1&cursor={cursor}")
    for statement in five.statements.values():
        bare = statement.string.partition("WHERE")[2].replace('tasks.nick COLLATE "C"', "").replace("tasks.nick IS", "")
        assert "tasks.nick" not in bare


async def test_no_value_of_a_client_is_in_the_text_of_a_statement(five) -> None:
    await five.page("filter[name]=canary&filter[nick][in]=canary&search=canary&limit=123")
    (text,) = [statement.string for statement in five.statements.values()]
    assert "canary" not in text
    assert "123" not in text
