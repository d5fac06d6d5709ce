"""What a rule reports."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Finding:
    """A breach of a rule: where, why it is one, and how to get out of it.

    `place` is ``file:line``, the file relative to the root of the project.

    >>> Finding("direct-clock", "src/shop/orders/service.py:12", "datetime.now() is read here", "ask the clock").line
    12
    """

    rule: str
    place: str
    reason: str
    way_out: str

    @property
    def file(self) -> str:
        """The file of the place."""
        return self.place.rpartition(":")[0]

    @property
    def line(self) -> int:
        """The line of the place, counted from 1."""
        return int(self.place.rpartition(":")[2])
