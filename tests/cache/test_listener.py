"""Announcements between processes, and every way of missing one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from time import monotonic
from typing import Any

import asyncpg
import pytest

from tenantry.cache import CHANNEL, MISSING, FactCache
from tenantry.cache.channel import NOTIFY, echo
from tenantry.database import Database, DatabaseRole, Placement
from tenantry.kernel import SYSTEM, new_id

from .conftest import Listening, Proxy, connected, eventually

pytestmark = pytest.mark.anyio

A, B = "member:a:u", "member:b:u"


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


class Unheard:
    """A connection whose LISTEN leads nowhere, as behind PgBouncer in transaction mode."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    async def add_listener(self, _channel: str, _heard: object) -> None:
        """Succeed."""


class TestAnnouncing:
    async def test_every_cache_forgets_what_was_announced_and_nothing_else(
        self, database: Database, listening: Listening
    ) -> None:
        here, there = await listening(), await listening()
        fill(here.facts)
        fill(there.facts)
        await announce(database, here.facts, A)
        assert here.facts.peek(A) is MISSING
        await eventually(lambda: there.facts.peek(A) is MISSING, within=1)
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
        keys = (f"session:{new_id()}", "slug:acme")
        async with connected(database) as spy:
            await spy.add_listener(CHANNEL, lambda *event: heard.append(str(event[-1])))
            await listening()
            await announce(database, FactCache(), *keys)
            await eventually(lambda: " ".join(keys) in heard, within=1)
        others = [payload.split()[0] for payload in heard if payload != " ".join(keys)]
        assert set(others) == {"echo"}


class TestDeafness:
    async def test_a_silent_connection_is_distrusted_within_a_second_and_heals_empty(
        self, proxy: Proxy, database: Database, listening: Listening
    ) -> None:
        ear = await listening(lambda: through(proxy))
        facts, listener = ear.facts, ear.listener
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

    async def test_what_was_announced_while_disconnected_is_not_served_afterwards(
        self, proxy: Proxy, database: Database, listening: Listening
    ) -> None:
        ear = await listening(lambda: through(proxy))
        facts, listener = ear.facts, ear.listener
        fill(facts)
        proxy.refusing = True
        proxy.cut()
        await asyncio.sleep(0.1)
        await announce(database, FactCache(), A)
        proxy.refusing = False
        await eventually(lambda: listener.health.connections == 2 and listener.health.hears, within=3)
        assert (facts.peek(A), facts.peek(B)) == (MISSING, MISSING)

    async def test_the_age_of_an_echo_counts_from_its_sending(self, proxy: Proxy, listening: Listening) -> None:
        ear = await listening(lambda: through(proxy))
        facts, listener = ear.facts, ear.listener
        proxy.delay = 0.3
        await asyncio.sleep(1.5)
        ages = []
        for _ in range(100):
            ages.append(facts.age)
            await asyncio.sleep(0.01)
        assert min(ages) >= 0.6
        assert listener.health.connections == 1

    async def test_a_line_slower_than_a_second_is_never_trusted(self, proxy: Proxy, listening: Listening) -> None:
        ear = await listening(lambda: through(proxy))
        proxy.delay = 0.6
        await asyncio.sleep(1.5)
        assert ear.facts.age > 1

    async def test_echoes_of_other_listeners_do_not_count(
        self, proxy: Proxy, database: Database, listening: Listening
    ) -> None:
        ear = await listening(lambda: through(proxy))
        proxy.mute = True  # what we send is lost, what others send arrives
        begun = monotonic()
        while monotonic() - begun < 1.03:
            async with database.control_scope(actor=SYSTEM) as uow:
                await uow.run(NOTIFY, payload=echo("0" * 32, 1))
            await asyncio.sleep(0.05)
        assert not ear.listener.health.hears

    async def test_a_server_that_ends_the_session_is_found_again(
        self, database: Database, listening: Listening
    ) -> None:
        connections = Connections(database)
        ear = await listening(connections)
        facts, listener = ear.facts, ear.listener
        fill(facts)
        async with connected(database) as admin:
            await admin.execute("SELECT pg_terminate_backend($1)", connections.last)
        await eventually(lambda: listener.health.connections == 2, within=2)
        await eventually(lambda: listener.health.hears, within=2)
        assert facts.peek(A) is MISSING

    async def test_a_pooler_that_swallows_notifications_is_noticed(
        self, database: Database, listening: Listening
    ) -> None:
        async def connect() -> asyncpg.Connection:
            return Unheard(await database.connect(DatabaseRole.CONTROL))

        ear = await listening(connect)
        await eventually(lambda: ear.listener.health.connections > 1, within=4)
        assert not ear.listener.health.hears


class TestLife:
    async def test_a_start_without_a_database_takes_a_second_and_succeeds_later(
        self, proxy: Proxy, listening: Listening
    ) -> None:
        proxy.refusing = True
        begun = monotonic()
        listener = (await listening(lambda: through(proxy))).listener
        assert monotonic() - begun < 1.2
        assert not listener.health.hears
        proxy.refusing = False
        await eventually(lambda: listener.health.hears, within=3)

    async def test_stopping_ends_the_connection(self, database: Database, listening: Listening) -> None:
        connections = Connections(database)
        ear = await listening(connections)
        await ear.listener.stop()
        await asyncio.sleep(0.1)
        async with connected(database) as admin:
            left = await admin.fetchval("SELECT count(*) FROM pg_stat_activity WHERE pid = $1", connections.last)
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
