"""Cursors come back whole, and nothing but what was signed for this list is taken for one."""

from __future__ import annotations

import base64
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from sqlalchemy import Column, String
from tests.query.conftest import SIZES

from tenantry.kernel import ConfigurationError
from tenantry.query import CursorSigner, InvalidCursor, ListSpec, parse_list
from tenantry.query.cursor import MAX_CURSOR

QUERY = "sort=name,-seen_at&filter[rank]=1&search=a"
KEYS = ["Ä\U0001f600", datetime(2031, 5, 1, 1, 2, 3, 4, tzinfo=UTC), UUID(int=7)]
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@pytest.fixture(scope="session")
def cursor_of(spec, signer):
    def cursor_of(query: str, keys: list[object], binding: str = "tenant:actor:tasks") -> str:
        request = parse_list(query.encode(), spec, signer=signer, binding=binding, sizes=SIZES)
        return signer.next_cursor(request, keys, spec=spec, binding=binding)

    return cursor_of


@pytest.fixture(scope="session")
def resume(spec, signer):
    def resume(query: str, cursor: str, binding: str = "tenant:actor:tasks", signer: CursorSigner = signer):
        return parse_list(f"{query}&cursor={cursor}".encode(), spec, signer=signer, binding=binding, sizes=SIZES)

    return resume


@pytest.mark.parametrize(
    ("sort", "keys"),
    [
        ("name", ["", UUID(int=0)]),
        ("name", ["\U0010ffff" * 100, UUID(int=2**128 - 1)]),
        ("-rank", [-(2**31), UUID(int=1)]),
        ("due_on", [date(1, 1, 1), UUID(int=1)]),
        ("due_on", [None, UUID(int=1)]),
        ("seen_at", [datetime(1, 1, 1, tzinfo=UTC), UUID(int=1)]),
        ("seen_at", [datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), UUID(int=1)]),
        ("done,flagged,owner_id", [True, False, None, UUID(int=1)]),
    ],
)
def test_keys_of_every_type_come_back(cursor_of, resume, sort, keys) -> None:
    request = resume(f"sort={sort}", cursor_of(f"sort={sort}", keys))
    assert request.shape.null_keys == tuple(key is None for key in keys)
    assert [request.params.get(f"k{i}") for i in range(len(keys))] == keys


def test_the_longest_keys_make_a_cursor_that_is_taken_back(signer) -> None:
    columns = {name: Column(name, String(255), nullable=False) for name in ("id", "a", "b", "c", "d")}
    wide = ListSpec(columns, fields=["id"], sorts={"a", "b", "c", "d"})
    request = parse_list(b"sort=a,b,c,d", wide, signer=signer, binding="b", sizes=SIZES)
    cursor = signer.next_cursor(request, ["\U0010ffff" * 255] * 5, spec=wide, binding="b")
    assert len(cursor) == MAX_CURSOR
    parse_list(f"sort=a,b,c,d&cursor={cursor}".encode(), wide, signer=signer, binding="b", sizes=SIZES)


def test_no_changed_cursor_is_taken_pg_03(cursor_of, resume) -> None:
    cursor = cursor_of(QUERY, KEYS)
    padded = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    flipped = [
        base64.urlsafe_b64encode(padded[:i] + bytes([padded[i] ^ 1 << bit]) + padded[i + 1 :]).rstrip(b"=").decode()
        for i in range(len(padded))
        for bit in range(8)
    ]
    replaced = [cursor[:i] + letter + cursor[i + 1 :] for i in range(len(cursor)) for letter in ALPHABET]
    cut = [cursor[:i] for i in range(len(cursor))] + [cursor[i:] for i in range(1, len(cursor))]
    longer = [cursor + "A", cursor + "AAAA", cursor + "%3D", cursor + "%0A", " " + cursor, cursor + "A" * MAX_CURSOR]
    strange = ["é", "%F0%9F%98%80", "AA==", "....", "null", "-", "A" * 2000]
    changed = [text for text in {*flipped, *replaced, *cut, *longer, *strange} if text != cursor]

    assert len(changed) > 1000
    for text in changed:
        with pytest.raises(InvalidCursor):
            resume(QUERY, text)
    assert resume(QUERY, cursor).params["k0"] == KEYS[0]


@pytest.mark.parametrize("binding", ["other:actor:tasks", "tenant:other:tasks", "tenant:actor:projects", ""])
def test_a_cursor_serves_only_the_tenant_actor_and_resource_it_was_made_for_ti_03(cursor_of, resume, binding) -> None:
    with pytest.raises(InvalidCursor):
        resume(QUERY, cursor_of(QUERY, KEYS), binding)


def test_a_cursor_is_checked_each_time_however_its_name_is_spelled(cursor_of, spec, signer) -> None:
    query = f"{QUERY}&%63ursor={cursor_of(QUERY, KEYS)}".encode()
    for _ in range(2):  # the second time, the query string without its cursor is remembered
        request = parse_list(query, spec, signer=signer, binding="tenant:actor:tasks", sizes=SIZES)
        assert request.params["k0"] == KEYS[0]
        with pytest.raises(InvalidCursor):
            parse_list(query, spec, signer=signer, binding="other:actor:tasks", sizes=SIZES)


@pytest.mark.parametrize(
    "query",
    [
        "sort=name,seen_at&filter[rank]=1&search=a",
        "sort=name&filter[rank]=1&search=a",
        "sort=name,-seen_at&filter[rank]=2&search=a",
        "sort=name,-seen_at&filter[rank][ne]=1&search=a",
        "sort=name,-seen_at&filter[score]=1&search=a",
        "sort=name,-seen_at&filter[rank]=1&search=b",
        "sort=name,-seen_at&filter[rank]=1",
        "sort=name,-seen_at&search=a",
        "filter[rank]=1&search=a",
    ],
)
def test_a_cursor_serves_only_its_order_filters_and_search(cursor_of, resume, query) -> None:
    with pytest.raises(InvalidCursor):
        resume(query, cursor_of(QUERY, KEYS))


def test_the_size_the_fields_and_the_total_may_change_on_the_way(cursor_of, resume) -> None:
    request = resume(QUERY + "&page_size=7&fields=name&with_total=true", cursor_of(QUERY, KEYS))
    assert (request.limit, request.shape.fields, request.shape.with_total) == (7, ("id", "name"), True)


def test_texts_that_would_read_alike_when_joined_are_different_filters(cursor_of, resume) -> None:
    cursor = cursor_of("filter[name]=a', 'b&filter[nick]=c", [datetime(2031, 1, 1, tzinfo=UTC), UUID(int=1)])
    with pytest.raises(InvalidCursor):
        resume("filter[name]=a&filter[nick]=b', 'c", cursor)


def test_a_cursor_of_another_key_or_of_a_column_that_changed_its_type_is_refused(
    cursor_of, resume, spec, signer
) -> None:
    cursor = cursor_of("sort=name", ["a", UUID(int=1)])
    with pytest.raises(InvalidCursor):
        resume("sort=name", cursor, signer=CursorSigner(b"x" * 32))
    columns = {"id": spec.id.column, "name": spec.sorts["rank"].column}
    retyped = ListSpec(columns, fields=["id"], sorts={"name"})
    query = f"sort=name&cursor={cursor}".encode()
    with pytest.raises(InvalidCursor):
        parse_list(query, retyped, signer=signer, binding="tenant:actor:tasks", sizes=SIZES)


def test_a_short_key_is_refused_at_start() -> None:
    with pytest.raises(ConfigurationError, match="it needs 32"):
        CursorSigner(b"short")
