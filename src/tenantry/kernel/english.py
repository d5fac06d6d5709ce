"""The little English that summaries and explanations need."""

from __future__ import annotations


def with_article(noun: str) -> str:
    """Return a noun behind the article that it takes.

    >>> with_article("item"), with_article("task")
    ('an item', 'a task')
    """
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"
