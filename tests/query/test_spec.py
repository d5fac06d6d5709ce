"""A declaration that could not be served is refused at start, with the way out."""

from __future__ import annotations

import pytest
from sqlalchemy import Column, DateTime, Enum, Integer, MetaData, Numeric, String, Table, Text, TypeDecorator, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from tenantry.kernel import ConfigurationError
from tenantry.query import ListSpec


class Slug(TypeDecorator[str]):
    impl = String(40)
    cache_ok = True


COLUMNS = dict(
    Table(
        "things",
        MetaData(),
        Column("id", Uuid, primary_key=True),
        Column("price", Numeric),
        Column("kind", Enum("a", "b", name="kind")),
        Column("data", JSONB),
        Column("local", DateTime),
        Column("body", Text),
        Column("title", String(256)),
        Column("slug", Slug, nullable=False),
        Column("rank", Integer, nullable=False),
    ).columns
)


@pytest.mark.parametrize("name", ["price", "kind", "data", "local"])
@pytest.mark.parametrize("use", ["filters", "sorts", "search"])
def test_columns_without_leakproof_operators_are_refused(name, use) -> None:
    with pytest.raises(ConfigurationError, match=rf"'{name}': .* no leakproof operators.*make it text with a CHECK"):
        ListSpec(COLUMNS, fields=["id"], **{use: {name}})


@pytest.mark.parametrize("name", ["body", "title"])
def test_texts_too_long_for_a_cursor_are_not_sorted_by(name) -> None:
    with pytest.raises(ConfigurationError, match=rf"sort '{name}': .* declare the column String\(n\)"):
        ListSpec(COLUMNS, fields=["id"], sorts={name})
    ListSpec(COLUMNS, fields=["id"], filters={name}, search={name})


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"filters": {"nope"}}, "filter 'nope': there is no such column; there are body, data"),
        ({"search": {"rank"}}, "search 'rank': only text columns"),
        ({"default_sort": "-rank"}, "default_sort '-rank': declare it among the sorts"),
        ({"default_sort": ""}, "default_sort ''"),
        ({"default_sort": "id,id,id,id,id"}, "at most 4 fields"),
        ({"fields": ["rank"]}, "every item has an 'id'"),
    ],
)
def test_other_mistakes_name_the_way_out(declared, message) -> None:
    with pytest.raises(ConfigurationError, match=message):
        ListSpec(COLUMNS, **{"fields": ["id"]} | declared)


def test_an_id_that_could_be_null_breaks_no_ties() -> None:
    with pytest.raises(ConfigurationError, match="sort 'id': it breaks ties"):
        ListSpec({"id": Column("id", Uuid)}, fields=["id"])


def test_a_decorated_type_counts_as_the_type_below_it() -> None:
    spec = ListSpec(COLUMNS, fields=["id"], filters={"slug"}, sorts={"slug"})
    assert "contains" in spec.filters["slug"]


def test_an_expression_is_taken_for_nullable() -> None:
    spec = ListSpec(COLUMNS | {"twice": COLUMNS["rank"] * 2}, fields=["id"], sorts={"twice"}, filters={"twice"})
    assert spec.sorts["twice"].nullable
    assert "null" in spec.filters["twice"]
