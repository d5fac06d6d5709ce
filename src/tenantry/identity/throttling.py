"""Limits of attempts, counted in the database (GCRA): right under concurrency and over all processes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tenantry.database import UnitOfWork
from tenantry.identity.caller import Caller
from tenantry.identity.errors import TooManyAttempts
from tenantry.identity.repository import GIVE_BACK_ATTEMPT, NEXT_ATTEMPT, TAKE_ATTEMPT
from tenantry.runtime import Runtime

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` attempts in *any* stretch of time as long as `period`.

    Four fifths may come at once, the rest is spread over the period. (The usual reading, `count` at once and `count`
    more over the period, lets twice as many through in the first one.)

    >>> Limit("login", 10).interval.total_seconds()
    30.0
    """

    name: str
    count: int
    period: timedelta = _MINUTE

    @property
    def burst(self) -> int:
        """How many may come at once."""
        return max(1, self.count * 4 // 5)

    @property
    def interval(self) -> timedelta:
        """How long it takes until one more may come."""
        return self.period / max(1, self.count - self.burst)

    def of(self, subject: str) -> Attempt:
        """Return an attempt that counts against this limit for one account or address."""
        return Attempt(self, hashlib.sha256(f"{self.name}\0{subject}".encode(errors="replace")).hexdigest())


@dataclass(frozen=True, slots=True)
class Attempt:
    """One thing about to be tried, under the hashed key that it is counted by."""

    limit: Limit
    key: str


async def admit(runtime: Runtime, caller: Caller, *attempts: Attempt) -> None:
    """Count attempts, the first one first, in a transaction of its own, so that they count whatever becomes of them.

    A refusal counts nothing, for the attempts after it neither: whoever hammers at one account does not use up the
    allowance of the address that others share. Raises `TooManyAttempts`, which says when to come back.
    """
    async with caller.work(runtime.database) as uow:
        wait = await _take(uow, runtime.clock.now(), attempts)
    if wait is not None:
        raise TooManyAttempts(retry_after=wait)


async def give_back(uow: UnitOfWork, *attempts: Attempt) -> None:
    """Count attempts no more: they succeeded, and only failures are limited."""
    for attempt in attempts:
        await uow.run(GIVE_BACK_ATTEMPT, key=attempt.key, interval=attempt.limit.interval)


async def _take(uow: UnitOfWork, now: datetime, attempts: Iterable[Attempt]) -> float | None:
    """Return None, or the seconds to wait if one of the attempts is over its limit."""
    for attempt in attempts:
        limit = attempt.limit
        tolerance = limit.interval * limit.burst
        taken = await uow.value(
            TAKE_ATTEMPT, key=attempt.key, now=now, interval=limit.interval, horizon=now + tolerance
        )
        if taken is None:
            next_at: datetime = await uow.value(NEXT_ATTEMPT, key=attempt.key)
            return max(1.0, (next_at + limit.interval - tolerance - now).total_seconds())
    return None
