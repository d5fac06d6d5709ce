"""The only place that reads the wall clock, so that a test can hold it still.

Leases and expiries that the database decides use the database's clock instead (`now()` in the statement).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time; part of the runtime."""

    def now(self) -> datetime:
        """Return the current time, always in UTC and aware."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the current time in UTC.

        >>> SystemClock().now().utcoffset()
        datetime.timedelta(0)
        """
        return datetime.now(UTC)


class FrozenClock:
    """A clock that moves only when told to; for tests of expiry and lateness.

    >>> from datetime import datetime, timedelta, UTC
    >>> clock = FrozenClock(datetime(2030, 1, 1, tzinfo=UTC))
    >>> clock.advance(timedelta(hours=1)); clock.now().hour
    1
    """

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        """Return the time the clock was left at."""
        return self._at

    def advance(self, by: timedelta) -> None:
        """Move the clock forward (or back, with a negative `by`)."""
        self._at += by
