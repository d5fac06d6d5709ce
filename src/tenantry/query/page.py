"""The body of a list answer, put together around the JSON that PostgreSQL made, which is not parsed again."""

from __future__ import annotations


def page_body(items: str, *, has_more: bool, next_cursor: str | None, total: int | None = None) -> bytes:
    """Return the answer's body.

    `items` is the text of a JSON array (``[]`` when there is nothing: `json_agg` says NULL then, so coalesce it);
    `total` is left out of the answer when it is None, because it was not asked for.

    >>> page_body('[{"id":1}]', has_more=True, next_cursor="AbC_-", total=7)
    b'{"items":[{"id":1}],"page":{"next_cursor":"AbC_-","has_more":true,"total":7}}'
    """
    cursor = "null" if next_cursor is None else f'"{next_cursor}"'  # base64: nothing in it needs an escape
    counted = "" if total is None else f',"total":{total}'
    more = "true" if has_more else "false"
    return f'{{"items":{items},"page":{{"next_cursor":{cursor},"has_more":{more}{counted}}}}}'.encode()
