"""What a statement knows of itself: whether an open ORM session has to read again after it."""

from __future__ import annotations

import pytest
from sqlalchemy import ClauseElement, Column, Integer, MetaData, Table, delete, insert, select, update

from tenantry.database import Statement

BOXES = Table("boxes", MetaData(), Column("id", Integer, primary_key=True))
_MOVED = update(BOXES).values(id=2).returning(BOXES.c.id).cte("moved")


@pytest.mark.parametrize(
    ("expression", "writes"),
    [
        (select(BOXES.c.id), False),
        (insert(BOXES).values(id=1), True),
        (update(BOXES).values(id=2), True),
        (delete(BOXES), True),
        (select(_MOVED.c.id), True),
        (select(BOXES.c.id).with_for_update(), True),
        (select(BOXES.c.id).with_for_update(key_share=True), True),
        (select(BOXES.c.id).with_for_update(read=True), True),
        (select(BOXES.c.id).with_for_update(read=True, key_share=True), True),
    ],
)
def test_whatever_changes_or_locks_rows_names_their_tables(expression: ClauseElement, writes: bool):
    assert Statement(expression).writes == ({"boxes"} if writes else frozenset())


def test_a_lock_is_on_the_tables_that_it_names_or_else_on_all_that_are_read():
    lids = Table("lids", MetaData(schema="attic"), Column("id", Integer, primary_key=True))
    both = select(BOXES.c.id).join_from(BOXES, lids, lids.c.id == BOXES.c.id)
    assert Statement(both.with_for_update()).writes == {"boxes", "lids"}
    assert Statement(both.with_for_update(key_share=True, of=lids)).writes == {"lids"}
    assert Statement(update(lids).values(id=select(BOXES.c.id).scalar_subquery())).writes == {"lids"}
