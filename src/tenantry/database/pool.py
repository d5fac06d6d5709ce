"""A pool of asyncpg connections with a bounded wait.

Why not `asyncpg.Pool`: measured on the request path, its acquire and release cost 13 to 18 µs of CPU and its proxy
about 10 µs for each call, where a request as a whole may cost 290 µs; its reset query is a fourth round trip; and it
cannot say "503 after one second" without a timer for every request. This one hands out raw connections, waits only
when it must, and throws a connection away unless it comes back clean (see docs/decisions/0004).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

import asyncpg

from tenantry.database.errors import DatabaseBusy, DatabaseUnavailable, translate

Connect = Callable[[], Awaitable[asyncpg.Connection]]


class ConnectionPool:
    """At most `size` connections, opened when first needed; used by one event loop.

    `wait` is how long, in seconds, `acquire` waits for a free connection before it raises `DatabaseBusy`.
    """

    def __init__(self, connect: Connect, *, name: str, size: int, wait: float) -> None:
        self.name = name
        self.size = size
        self._connect = connect
        self._wait = wait
        self._idle: list[asyncpg.Connection] = []
        self._waiting: deque[asyncio.Future[asyncpg.Connection | None]] = deque()
        self._open = 0
        self._closed = False

    @property
    def open(self) -> int:
        """Connections that exist, lent or idle."""
        return self._open

    @property
    def in_use(self) -> int:
        """Connections lent out or being opened."""
        return self._open - len(self._idle)

    @property
    def waiting(self) -> int:
        """Callers that wait for a connection."""
        return len(self._waiting)

    async def acquire(self) -> asyncpg.Connection:
        """Borrow a connection; give it back with `release`, whatever happens.

        Raises `DatabaseBusy` when none came free in time, `DatabaseUnavailable` when none can be opened.
        """
        while True:
            if self._closed:
                raise DatabaseUnavailable("The application is shutting down.", retry_after=1)
            while self._idle:
                connection = self._idle.pop()
                if not connection.is_closed():
                    return connection
                self._open -= 1
            if self._open < self.size:
                return await self._add()
            handed = await self._queue()
            if handed is not None:
                return handed

    def release(self, connection: asyncpg.Connection) -> None:
        """Take a connection back. One that is closed or still in a transaction is ended, never lent again."""
        if self._closed or connection.is_closed() or connection.is_in_transaction():
            self.discard(connection)
            return
        if not self._hand_over(connection):
            self._idle.append(connection)

    def discard(self, connection: asyncpg.Connection) -> None:
        """End a connection whose state is not known; its place is free for a new one."""
        connection.terminate()
        self._open -= 1
        self._hand_over(None)

    async def close(self) -> None:
        """End every idle connection; the ones in use end when they come back."""
        self._closed = True
        while self._hand_over(None):
            pass
        idle, self._idle = self._idle, []
        self._open -= len(idle)
        for connection in idle:
            try:
                await connection.close(timeout=1)
            except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                connection.terminate()

    async def _add(self) -> asyncpg.Connection:
        self._open += 1
        try:
            return await self._connect()
        except BaseException as error:
            self._open -= 1
            self._hand_over(None)
            raise translate(error, {}) from error

    async def _queue(self) -> asyncpg.Connection | None:
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[asyncpg.Connection | None] = loop.create_future()
        self._waiting.append(waiter)
        given_up = loop.call_later(self._wait, self._give_up, waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            self._withdraw(waiter)
            raise
        finally:
            given_up.cancel()

    def _give_up(self, waiter: asyncio.Future[asyncpg.Connection | None]) -> None:
        if not waiter.done():
            self._waiting.remove(waiter)
            message = f"No connection of the {self.name} pool came free within {self._wait:g} s."
            waiter.set_exception(DatabaseBusy(message, retry_after=1))

    def _withdraw(self, waiter: asyncio.Future[asyncpg.Connection | None]) -> None:
        """Forget a caller that was cancelled; what was handed to it in the same instant goes to the next one."""
        if not waiter.done() or waiter.cancelled():
            if waiter in self._waiting:
                self._waiting.remove(waiter)
        elif waiter.exception() is None:
            connection = waiter.result()
            if connection is not None:
                self.release(connection)
            else:
                self._hand_over(None)

    def _hand_over(self, connection: asyncpg.Connection | None) -> bool:
        """Give the connection, or with None a free place, to whoever waits longest."""
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return True
        return False
