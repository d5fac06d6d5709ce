"""`InvalidationListener`: hears which facts changed, and knows whether it still hears.

A connection can be dead without an error: a firewall that dropped the flow, a server that is frozen. Then nothing
arrives, which looks like nothing having changed. So the listener sends itself an echo every quarter of a second, and
the cache answers only while an echo came back that is younger than a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import asyncpg
import structlog

from tenantry.cache.channel import CHANNEL, NOTIFY, echo, keys_of
from tenantry.cache.facts import FactCache

Connect = Callable[[], Awaitable[asyncpg.Connection]]

ECHO_EVERY = 0.25
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0  # seconds before connecting again; doubled, with jitter


@dataclass(frozen=True, slots=True)
class ListenerHealth:
    """What `/readyz` and the metrics show of a listener."""

    hears: bool
    """Echoes come back: the cache answers. If not, every request asks the database, correctly and slowly."""
    age: float
    """Seconds since the last echo that came back was sent; infinite before the first."""
    connections: int
    """How often a connection was made; more than one means that the cache was cleared."""


class InvalidationListener:
    """Feeds a `FactCache` from the database, for as long as the process runs.

    `connect` opens a connection of its own: LISTEN belongs to the session, so it must not come from a pool and not
    lead through PgBouncer in transaction mode.
    """

    def __init__(self, cache: FactCache, connect: Connect) -> None:
        self._cache = cache
        self._connect = connect
        self._task: asyncio.Task[None] | None = None
        self._connections = 0
        self._log = structlog.get_logger("tenantry.cache")
        self._first_echo = asyncio.Event()
        self._expected = ""
        self._sent_at = 0.0

    @property
    def health(self) -> ListenerHealth:
        """Return how it is now."""
        age = self._cache.age
        return ListenerHealth(age < self._cache.trust, age, self._connections)

    async def start(self) -> None:
        """Begin to listen, and wait for the first echo, at most a second: a start without a database is possible."""
        self._task = asyncio.create_task(self._keep_listening(), name="tenantry fact listener")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._cache.trust):
                await self._first_echo.wait()

    async def stop(self) -> None:
        """End the connection; the cache stops answering within a second."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.wait([self._task])
        self._task = None

    async def _keep_listening(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            begun = time.monotonic()
            try:
                await self._listen()
            except Exception as error:  # noqa: BLE001 - whatever it was: a listener that ended would be missed by nobody
                self._log.warning("fact listener lost its connection", error=type(error).__name__, detail=str(error))
            pause = _FIRST_PAUSE if time.monotonic() - begun > _LONGEST_PAUSE else min(pause * 2, _LONGEST_PAUSE)
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - spreads reconnects, guards nothing

    async def _listen(self) -> None:
        """Listen on one connection until it fails."""
        connection = await self._connect()
        try:
            async with asyncio.timeout(self._cache.trust):
                await connection.add_listener(CHANNEL, self._received)
            # After LISTEN, not before: what changed in between is in neither the memory nor the notifications.
            self._cache.clear()
            self._connections += 1
            await self._send_echoes(connection)
        finally:
            connection.terminate()

    async def _send_echoes(self, connection: asyncpg.Connection) -> None:
        token = secrets.token_hex(16)
        begun = time.monotonic()
        number = 0
        while True:
            number += 1
            self._expected, self._sent_at = echo(token, number), time.monotonic()
            async with asyncio.timeout(self._cache.trust):
                await connection.execute(NOTIFY.sql, *NOTIFY.arguments({"payload": self._expected}))
            await asyncio.sleep(ECHO_EVERY)
            quiet = min(self._cache.age, time.monotonic() - begun)
            if quiet > 2 * self._cache.trust:
                raise ConnectionError("no echo came back: does the URL lead through a pooler in transaction mode?")

    def _received(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        text = str(payload)
        if text == self._expected:
            self._cache.heard(self._sent_at)
            self._first_echo.set()
        elif keys := keys_of(text):
            self._cache.forget(*keys)
