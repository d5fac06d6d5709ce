"""Walking a list by cursor: every row once, in the order of the whole, whatever the order, NULLs, ties and writes."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenantry.kernel import new_id

pytestmark = pytest.mark.anyio

DAY = datetime(2031, 5, 1, tzinfo=UTC)
NULLABLE = ["nick", "score", "due_on", "seen_at", "flagged", "owner_id"]
SORTS = ["name", "rank", "created_at", "done", *NULLABLE]
Row = dict[str, Any]


def task(**values: Any) -> Row:
    return {"id": new_id(), "name": "n", "rank": 0, "created_at": DAY, "done": False} | values


def ordered(rows: Sequence[Row], sort: str) -> list[UUID]:
    """The order by definition, made by Python: NULLs last in both directions, `id` last as the term before it."""
    terms = sort.split(",")
    rows = sorted(rows, key=lambda row: row["id"].bytes, reverse=terms[-1].startswith("-"))
    for term in reversed(terms):
        name = term.removeprefix("-")
        full = [row for row in rows if row[name] is not None]
        full.sort(key=lambda row: row[name], reverse=term.startswith("-"))
        rows = full + [row for row in rows if row[name] is None]
    return [row["id"] for row in rows]


# Python's reversed sort keeps the order of equals, so the passes above compose in both directions.


def few_values(random: random.Random) -> Row:
    """A row of few different values, so that almost all keys are ties."""
    return task(
        name=random.choice(["a", "B", "ä", "z\U0001f600"]),
        rank=random.choice([-1, 7]),
        created_at=DAY + timedelta(microseconds=random.choice([0, 1])),
        done=random.random() < 0.5,
        nick=random.choice([None, "x", "X"]),
        score=random.choice([None, 0, 2**31 - 1]),
        due_on=random.choice([None, DAY.date(), date(1, 1, 2)]),
        seen_at=random.choice([None, DAY, DAY - timedelta(days=9999)]),
        flagged=random.choice([None, True, False]),
        owner_id=random.choice([None, UUID(int=1), UUID(int=2**128 - 1)]),
    )


@pytest.mark.parametrize("sort", [sign + name for name in SORTS for sign in ("", "-")])
async def test_a_thousand_ties_are_walked_as_an_exact_permutation_pg_02(lists, sort) -> None:
    rows = [few_values(random.Random(seed)) for seed in range(700)] + [task() for _ in range(300)]
    rows = [dict.fromkeys(SORTS) | row for row in rows]
    await lists.insert(rows)

    walked = await lists.walk(f"sort={sort}&page_size=89")

    assert [row["id"] for row in walked] == ordered(rows, sort)


async def test_rows_that_are_there_all_the_time_are_met_once_while_others_come_and_go_pg_01(lists) -> None:
    rng = random.Random(20310501)
    staying = [task(rank=rng.randrange(50)) for _ in range(2000)]
    passing = [task(rank=rng.randrange(50)) for _ in range(500)]
    await lists.insert(staying + passing)

    page, cursor = await lists.page("sort=rank&page_size=50")
    met = [row["id"] for row in page]
    while cursor is not None:
        # A statement sees one moment, so every concurrent schedule is one of writes between the pages.
        await lists.insert([task(rank=rng.randrange(50)) for _ in range(25)])
        rng.shuffle(passing)
        gone, passing = [row["id"] for row in passing[:10]], passing[10:]
        gone += [met[-1]] if met[-1] in {row["id"] for row in passing} else []  # the row that the cursor names
        await lists.connection.execute("DELETE FROM tasks WHERE id = ANY($1)", gone)
        page, cursor = await lists.page(f"sort=rank&page_size=50&cursor={cursor}")
        met += [row["id"] for row in page]

    assert len(met) == len(set(met))
    assert {row["id"] for row in staying} - set(met) == set()


a_row = st.fixed_dictionaries(
    {
        "id": st.uuids(),
        "name": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=3),
        "rank": st.integers(-1, 1) | st.integers(-(2**31), 2**31 - 1),
        "created_at": st.datetimes(timezones=st.just(UTC)),
        "done": st.booleans(),
        "nick": st.none() | st.sampled_from(["a", "A", "\U0001f600", "\uffff", ""]),
        "score": st.none() | st.integers(0, 1),
        "due_on": st.none() | st.dates(),
        "seen_at": st.none() | st.datetimes(timezones=st.just(UTC)),
        "flagged": st.none() | st.booleans(),
        "owner_id": st.none() | st.uuids(),
    }
)
a_sort = st.lists(st.sampled_from(SORTS), min_size=1, max_size=4, unique=True).flatmap(
    lambda names: st.tuples(*(st.sampled_from([name, f"-{name}"]) for name in names)).map(",".join)
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(a_row, max_size=25, unique_by=lambda row: row["id"]), sort=a_sort, size=st.integers(1, 10))
async def test_walking_by_cursor_is_the_order_of_everything(lists, rows, sort, size) -> None:
    await lists.connection.execute("TRUNCATE tasks")
    await lists.insert(rows)

    walked = await lists.walk(f"sort={sort}&page_size={size}")

    assert [row["id"] for row in walked] == ordered(rows, sort)


async def test_infinite_times_are_walked_like_all_others(lists) -> None:
    rows = [task(id=UUID(int=i)) for i in range(6)]
    await lists.insert(rows)
    for i, at in enumerate(["-infinity", "-infinity", "2031-05-01Z", "infinity", "infinity", None]):
        await lists.connection.execute(
            "UPDATE tasks SET seen_at = $1::text::timestamptz WHERE id = $2", at, UUID(int=i)
        )

    assert [row["id"].int for row in await lists.walk("sort=seen_at&limit=1")] == [0, 1, 2, 3, 4, 5]
    assert [row["id"].int for row in await lists.walk("sort=-seen_at&limit=1")] == [4, 3, 2, 1, 0, 5]


async def test_pages_by_number_and_by_skip_are_slices_of_the_same_order(lists) -> None:
    rows = [task(rank=i % 3) for i in range(25)]
    await lists.insert(rows)
    whole = ordered(rows, "-rank")

    async def ids(query: str) -> list[UUID]:
        return [row["id"] for row in (await lists.page(f"sort=-rank&{query}"))[0]]

    assert await ids("page=2&page_size=10") == whole[10:20]
    assert await ids("skip=7&limit=4") == whole[7:11]
    assert await ids("page=4&page_size=10") == []


async def test_a_page_by_number_goes_on_by_cursor(lists) -> None:
    rows = [task(rank=i % 3) for i in range(25)]
    await lists.insert(rows)

    _, cursor = await lists.page("sort=rank&page=2&page_size=5")
    after, _ = await lists.page(f"sort=rank&cursor={cursor}&limit=5")

    assert [row["id"] for row in after] == ordered(rows, "rank")[10:15]


async def test_a_walk_reads_an_index_from_the_row_of_its_cursor(lists) -> None:
    await lists.insert([task(rank=i, created_at=DAY + timedelta(seconds=i)) for i in range(5000)])
    await lists.connection.execute("CREATE INDEX ON tasks (created_at, id); ANALYZE tasks")
    _, cursor = await lists.page("sort=-created_at&skip=2500")
    await lists.page(f"sort=-created_at&cursor={cursor}")
    request = lists.parse(f"sort=-created_at&cursor={cursor}")
    compiled = lists.statements[request.shape]

    await lists.connection.execute("SET plan_cache_mode = force_custom_plan")
    arguments = [request.params[name] for name in compiled.positiontup]
    plan = await lists.connection.fetch(f"EXPLAIN {compiled.string}", *arguments)

    lines = [line[0].strip() for line in plan]
    assert any("Index Scan Backward" in line for line in lines), lines
    assert any(line.startswith("Index Cond: (ROW(created_at, id) < ROW(") for line in lines), lines
    assert not any("Sort" in line for line in lines), lines
