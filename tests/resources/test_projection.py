"""What PostgreSQL renders means what Pydantic would have rendered, for every type that a read schema may have."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    Uuid,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from tenantry.database import Statement
from tenantry.database.embedded import EmbeddedServer
from tenantry.kernel import ConfigurationError
from tenantry.query import json_of
from tenantry.resources import Projection, SqlField

pytestmark = pytest.mark.anyio

THINGS = Table(
    "things",
    MetaData(),
    Column("id", Uuid, primary_key=True),
    Column("text", String),
    Column("small", Integer),
    Column("big", BigInteger),
    Column("flag", Boolean),
    Column("at", DateTime(timezone=True)),
    Column("day", Date),
    Column("data", JSONB),
    Column("tags", ARRAY(String)),
    Column("price", Numeric),
    Column("raw", LargeBinary),
    prefixes=["TEMPORARY"],
)


class Thing(BaseModel):
    id: uuid.UUID
    text: str | None
    small: int | None
    big: int | None
    flag: bool | None
    at: datetime | None
    day: date | None
    data: dict[str, Any] | None
    tags: list[str] | None


TEXTS = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\x00"), max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
ROWS = st.fixed_dictionaries(
    {
        "id": st.uuids(),
        "text": st.none() | TEXTS,
        "small": st.none() | st.integers(-(2**31), 2**31 - 1),
        "big": st.none() | st.integers(-(2**63), 2**63 - 1),
        "flag": st.none() | st.booleans(),
        "at": st.none() | st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
        "day": st.none() | st.dates(date(1900, 1, 1), date(2200, 1, 1)),
        "data": st.none() | st.dictionaries(TEXTS, JSON, max_size=4),
        "tags": st.none() | st.lists(TEXTS, max_size=4),
    }
)
NAMES = tuple(Thing.model_fields)
PROJECTION = Projection(Thing, THINGS.columns.keys())


@pytest.fixture(scope="module")
async def things(server: EmbeddedServer) -> Any:
    url = server.url("postgres", server.superuser)
    connection = await asyncpg.connect(url, server_settings={"TimeZone": "UTC"})
    await connection.execute(
        "CREATE TEMPORARY TABLE things (id uuid, text text, small int, big bigint, flag bool, at timestamptz, "
        "day date, data jsonb, tags text[], price numeric, raw bytea)"
    )
    yield connection
    await connection.close()


async def test_every_value_means_the_same_in_both_renderings(things: asyncpg.Connection) -> None:
    body = select(*PROJECTION.of(THINGS)).subquery("body")
    statement = Statement(select(json_of(body)).select_from(body))

    async def check(row: dict[str, Any]) -> None:
        await things.execute("TRUNCATE things")
        await things.execute(
            "INSERT INTO things VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            *[json.dumps(row[name]) if name == "data" and row[name] is not None else row[name] for name in NAMES],
        )
        rendered = await things.fetchval(statement.sql)
        assert Thing.model_validate_json(rendered) == Thing.model_validate(row)
        assert "\n" not in rendered, "the separator of a page's items must not stand inside of one"

    examples: list[dict[str, Any]] = []
    collect(examples)
    for row in examples:
        await check(row)
    assert len(examples) >= 200


def collect(into: list[dict[str, Any]]) -> None:
    """Draw examples synchronously: hypothesis does not await."""

    @settings(max_examples=200, database=None, deadline=None)
    @given(ROWS)
    def draw(row: dict[str, Any]) -> None:
        into.append(row)

    draw()


@pytest.mark.parametrize(
    ("annotation", "column"), [(Decimal, "price"), (bytes, "raw"), (float, "price"), (str | float, "text")]
)
def test_a_field_that_would_be_rendered_differently_is_refused_at_start(annotation: Any, column: str) -> None:
    schema = type("Read", (BaseModel,), {"__annotations__": {column: annotation}})
    with pytest.raises(ConfigurationError, match=column):
        Projection(schema, THINGS.columns.keys())


def test_a_field_without_a_column_is_refused_at_start_unless_it_has_an_expression() -> None:
    class Missing(BaseModel):
        nowhere: int

    class Computed(BaseModel):
        length: Annotated[int, SqlField(lambda rows: func.length(rows.c.text))]
        kind: Annotated[Literal["a", "b"], SqlField(lambda rows: rows.c.text)]

    with pytest.raises(ConfigurationError, match="nowhere is no column"):
        Projection(Missing, THINGS.columns.keys())
    assert [field.name for field in Projection(Computed, THINGS.columns.keys()).of(THINGS)] == ["length", "kind"]
