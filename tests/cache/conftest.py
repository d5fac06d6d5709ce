"""Listeners on the test database, and a proxy in front of it that can fall silent."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Protocol

import asyncpg
import pytest
from sqlalchemy.engine import URL, make_url

from tenantry.cache import FactCache, InvalidationListener
from tenantry.cache.listener import Connect
from tenantry.database import Database, DatabaseRole, DatabaseSettings, DatabaseUrls


@pytest.fixture
async def database(urls: DatabaseUrls) -> AsyncIterator[Database]:
    database = Database(urls, DatabaseSettings(), constraints={})
    yield database
    await database.close()


@dataclass
class Proxy:
    """Forwards a Unix socket to PostgreSQL, as the control role.

    `silent`: bytes are read and go nowhere; `mute`: those of the client; `delay`: they arrive so many seconds later.
    """

    folder: Path
    target: URL
    silent: bool = False
    mute: bool = False
    refusing: bool = False
    delay: float = 0.0
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.target.set(query={"host": str(self.folder)}).render_as_string(hide_password=False)

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            writer.close()
            return
        far_reader, far_writer = await asyncio.open_unix_connection(socket_of(str(self.target.query["host"])))
        self._writers += [writer, far_writer]
        self._tasks += [
            asyncio.create_task(self._pass(reader, far_writer, is_client=True)),
            asyncio.create_task(self._pass(far_reader, writer, is_client=False)),
        ]

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, is_client: bool) -> None:
        with contextlib.suppress(ConnectionError):
            while chunk := await source.read(65536):
                if not self.silent and not (self.mute and is_client):
                    await asyncio.sleep(self.delay)
                    target.write(chunk)
                    await target.drain()
        target.close()

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def end(self) -> None:
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@pytest.fixture
async def proxy(urls: DatabaseUrls, tmp_path: Path) -> AsyncIterator[Proxy]:
    proxy = Proxy(tmp_path, make_url(urls.of(DatabaseRole.CONTROL)))
    listening = await asyncio.start_unix_server(proxy.meet, socket_of(str(tmp_path)))
    yield proxy
    listening.close()
    await proxy.end()


@dataclass
class Ear:
    """A cache with the listener that feeds it."""

    facts: FactCache
    listener: InvalidationListener


class Listening(Protocol):
    """Starts a listener with a cache of its own, over the test database or what is given."""

    async def __call__(self, connect: Connect | None = None) -> Ear: ...


@pytest.fixture
async def listening(database: Database) -> AsyncIterator[Listening]:
    ears: list[Ear] = []

    async def start(connect: Connect | None = None) -> Ear:
        facts = FactCache()
        ear = Ear(facts, InvalidationListener(facts, connect or partial(database.connect, DatabaseRole.CONTROL)))
        ears.append(ear)
        await ear.listener.start()
        return ear

    yield start
    for ear in ears:
        await ear.listener.stop()


@contextlib.asynccontextmanager
async def connected(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """A bare connection. It is ended whatever happens: uvloop waits for ever for one that a failed test left open."""
    connection = await database.connect(DatabaseRole.CONTROL)
    try:
        yield connection
    finally:
        connection.terminate()


def socket_of(folder: str) -> str:
    return f"{folder}/.s.PGSQL.5432"


async def eventually(condition: Callable[[], bool], *, within: float) -> float:
    """Wait until `condition` holds and return how many seconds that took; fails after `within`."""
    begun = monotonic()
    while not condition():
        assert monotonic() - begun < within, f"not so within {within} s"
        await asyncio.sleep(0.01)
    return monotonic() - begun
