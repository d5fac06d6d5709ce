"""The body around the rows."""

from __future__ import annotations

import json

import pytest

from tenantry.query import page_body


@pytest.mark.parametrize(
    ("given", "page"),
    [
        ({"has_more": False, "next_cursor": None}, {"next_cursor": None, "has_more": False}),
        ({"has_more": True, "next_cursor": "A-_", "total": 0}, {"next_cursor": "A-_", "has_more": True, "total": 0}),
    ],
)
def test_the_items_stay_as_postgresql_wrote_them(given, page) -> None:
    body = page_body('[{"name" : "é\\u2028"}]', **given)
    assert json.loads(body) == {"items": [{"name": "é\u2028"}], "page": page}
    assert '[{"name" : "é\\u2028"}]'.encode() in body
