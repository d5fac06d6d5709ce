"""Announcements between processes, and every way of missing one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

import asyncpg
import pytest

from tenantry.cache import CHANNEL, MISSING, FactCache, InvalidationListener
from tenantry.database import Database, DatabaseRole, Placement
from tenantry.kernel import SYSTEM, new_id

from .conftest import Ear, Proxy, eventually

pytestmark = pytest.mark.anyio

A, B = "member:a:u", "member:b:u"
Listening = Callable[..., Awaitable[Ear]]


def fill(facts: FactCache) -> None:
    for key in (A, B):
        facts.keep(key, "owner", since=facts.moment())


async def announce(database: Database, facts: FactCache, *keys: str) -> None:
    async with database.control_scope(actor=SYSTEM) as uow:
        await facts.announce(uow, *keys)


class Connections:
    """Connects, and knows the server process of the last connection."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.last = 0

    async def __call__(self) -> asyncpg.Connection:
        connection = await self._database.connect(DatabaseRole.CONTROL)
        self.last = connection.get_server_pid()
        return connection


async def through(proxy: Proxy) -> asyncpg.Connection:
    return await asyncpg.connect(proxy.url, timeout=1, command_timeout=5)


class TestAnnouncing:
    async def test_every_cache_forgets_what_was_announced_and_nothing_else(
        self, database: Database, listening: Listening
    ) -> None:
        here, there = await listening(), await listening()
        fill(here.facts)
        fill(there.facts)
        await announce(database, here.facts, A)
        assert here.facts.peek(A) is MISSING
        assert await eventually(lambda: there.facts.peek(A) is MISSING, within=1) < 0.5
        assert (here.facts.peek(B), there.facts.peek(B)) == ("owner", "owner")

    async def test_nothing_is_announced_before_the_commit_or_without_one(
        self, database: Database, listening: Listening
    ) -> None:
        here, there = await listening(), await listening()
        fill(here.facts)
        fill(there.facts)
        with contextlib.suppress(RuntimeError):
            async with database.control_scope(actor=SYSTEM) as uow:
                await here.facts.announce(uow, A)
                assert here.facts.peek(A) == "owner"
                raise RuntimeError
        await asyncio.sleep(0.3)
        assert (here.facts.peek(A), there.facts.peek(A)) == ("owner", "owner")

    async def test_the_process_that_made_the_change_forgets_even_when_it_is_deaf(self, database: Database) -> None:
        facts = FactCache()
        facts.heard(monotonic() + 60)
        fill(facts)
        await announce(database, facts, A)
        assert facts.peek(A) is MISSING

    async def test_a_thousand_keys_reach_the_others(self, database: Database, listening: Listening) -> None:
        there = await listening()
        keys = [f"member:{new_id()}:{new_id()}" for _ in range(1000)]
        for key in keys:
            there.facts.keep(key, "owner", since=there.facts.moment())
        await announce(database, FactCache(), *keys)
        await eventually(lambda: len(there.facts) == 0, within=1)

    async def test_tenant_transactions_do_not_announce(self, database: Database) -> None:
        with pytest.raises(ValueError, match="control transactions"):
            async with database.tenant_scope(new_id(), Placement.pool(), actor=SYSTEM, request_id=None) as uow:
                await FactCache().announce(uow, A)

    async def test_payloads_hold_ids_only(self, database: Database, listening: Listening) -> None:
        heard: list[str] = []
        spy = await database.connect(DatabaseRole.CONTROL)
        await spy.add_listener(CHANNEL, lambda *event: heard.append(str(event[-1])))
        await listening()
        keys = (f"session:{new_id()}", "slug:acme")
        await announce(database, FactCache(), *keys)
        await eventually(lambda: " ".join(keys) in heard, within=1)
        await spy.close()
        others = [payload.split()[0] for payload in heard if payload != " ".join(keys)]
        assert set(others) == {"echo"}


class TestDeafness:
    async def test_a_silent_connection_is_distrusted_within_a_second_and_heals_empty(
        self, proxy: Proxy, database: Database
    ) -> None:
        facts = FactCache()
        listener = InvalidationListener(facts, lambda: through(proxy))
        await listener.start()
        fill(facts)
        assert facts.peek(A) == "owner"
        proxy.silent = True
        took = await eventually(lambda: facts.peek(A) is MISSING, within=1.1)
        assert not listener.health.hears
        await announce(database, FactCache(), A)
        proxy.silent = False
        await eventually(lambda: listener.health.hears, within=6)
        assert took <= 1.05
        assert facts.peek(A) is MISSING
        assert listener.health.connections > 1
        await listener.stop()

    async def test_what_was_announced_while_disconnected_is_not_served_afterwards(
        self, proxy: Proxy, database: Database
    ) -> None:
        facts = FactCache()
        listener = InvalidationListener(facts, lambda: through(proxy))
        await listener.start()
        fill(facts)
        proxy.refusing = True
        proxy.cut()
        await asyncio.sleep(0.1)
        await announce(database, FactCache(), A)
        proxy.refusing = False
        await eventually(lambda: listener.health.connections == 2 and listener.health.hears, within=3)
        assert (facts.peek(A), facts.peek(B)) == (MISSING, MISSING)
        await listener.stop()

    async def test_the_age_of_an_echo_counts_from_its_sending(self, proxy: Proxy) -> None:
        facts = FactCache()
        listener = InvalidationListener(facts, lambda: through(proxy))
        await listener.start()
        proxy.delay = 0.3
        await asyncio.sleep(1.5)
        ages = []
        for _ in range(100):
            ages.append(facts.age)
            await asyncio.sleep(0.01)
        await listener.stop()
        assert min(ages) >= 0.6
        assert listener.health.connections == 1

    async def test_a_line_slower_than_a_second_is_never_trusted(self, proxy: Proxy) -> None:
        facts = FactCache()
        listener = InvalidationListener(facts, lambda: through(proxy))
        await listener.start()
        proxy.delay = 0.6
        await asyncio.sleep(1.5)
        assert facts.age > 1
        await listener.stop()

    async def test_echoes_of_other_listeners_do_not_count(self, proxy: Proxy, database: Database) -> None:
        facts = FactCache()
        listener = InvalidationListener(facts, lambda: through(proxy))
        await listener.start()
        proxy.mute = True  # what we send is lost, what others send arrives
        begun = monotonic()
        other = await database.connect(DatabaseRole.CONTROL)
        while monotonic() - begun < 1.03:
            await other.execute("SELECT pg_notify($1, $2)", CHANNEL, f"echo {'0' * 32} 1")
            await asyncio.sleep(0.05)
        await other.close()
        assert not listener.health.hears
        await listener.stop()

    async def test_a_server_that_ends_the_session_is_found_again(self, database: Database) -> None:
        facts, connections = FactCache(), Connections(database)
        listener = InvalidationListener(facts, connections)
        await listener.start()
        fill(facts)
        admin = await database.connect(DatabaseRole.CONTROL)
        await admin.execute("SELECT pg_terminate_backend($1)", connections.last)
        await admin.close()
        await eventually(lambda: listener.health.connections == 2, within=2)
        await eventually(lambda: listener.health.hears, within=2)
        assert facts.peek(A) is MISSING
        await listener.stop()


class TestLife:
    async def test_a_start_without_a_database_takes_a_second_and_succeeds_later(self, proxy: Proxy) -> None:
        proxy.refusing = True
        listener = InvalidationListener(FactCache(), lambda: through(proxy))
        begun = monotonic()
        await listener.start()
        assert monotonic() - begun < 1.2
        assert not listener.health.hears
        proxy.refusing = False
        await eventually(lambda: listener.health.hears, within=3)
        await listener.stop()

    async def test_stopping_ends_the_connection(self, database: Database) -> None:
        connections = Connections(database)
        listener = InvalidationListener(FactCache(), connections)
        await listener.start()
        await listener.stop()
        admin = await database.connect(DatabaseRole.CONTROL)
        await asyncio.sleep(0.1)
        left = await admin.fetchval("SELECT count(*) FROM pg_stat_activity WHERE pid = $1", connections.last)
        await admin.close()
        assert left == 0


CHILD = """
import asyncio, sys
from functools import partial
from tenantry.cache import MISSING, FactCache, InvalidationListener
import asyncpg

async def main(url, key):
    facts = FactCache()
    listener = InvalidationListener(facts, partial(asyncpg.connect, url))
    await listener.start()
    facts.keep(key, "owner", since=facts.moment())
    print(facts.peek(key), flush=True)
    while facts.peek(key) is not MISSING:
        await asyncio.sleep(0.005)
    print("hears" if listener.health.hears else "deaf", flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_another_process_forgets_within_a_second(database: Database) -> None:
    url = database.urls.of(DatabaseRole.CONTROL)
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, url, A, stdout=asyncio.subprocess.PIPE, env=dict(os.environ)
    )
    assert child.stdout is not None
    lines: Any = child.stdout
    assert await lines.readline() == b"owner\n"
    begun = monotonic()
    await announce(database, FactCache(), A)
    assert await lines.readline() == b"hears\n"
    assert monotonic() - begun < 1
    await child.wait()
    child._transport.close()  # type: ignore[attr-defined]
