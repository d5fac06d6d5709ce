"""Start, end, and what happens when something dies in between."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field

import asyncpg
import pytest
from tests.process.running import Commands, Running, eventually, patience

from tenantry.database.embedded.leaving import postgres_processes, postmaster_of

ITEM = {"name": "Desk", "price_cents": 24_900}


@dataclass
class Load:
    """Busy clients with a connection each; a refused connection is an answer, a broken one is a failure."""

    server: Running
    clients: int = 8
    body: dict[str, object] | None = None
    pause: float = 0.0
    answered: list[int] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    _is_over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Load:
        headers = self.server.headers()
        self._threads = [threading.Thread(target=self._work, args=(headers,)) for _ in range(self.clients)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join(30)

    def _work(self, headers: dict[str, str]) -> None:
        with closing(http.client.HTTPConnection(self.server.address, timeout=10)) as connection:
            self._ask(connection, headers)

    def _ask(self, connection: http.client.HTTPConnection, headers: dict[str, str]) -> None:
        method = "POST" if self.body else "GET"
        content = json.dumps(self.body) if self.body else None
        while not self._is_over.wait(self.pause):
            try:
                connection.request(method, "/api/v1/items", content, {**headers, "Content-Type": "application/json"})
                answer = connection.getresponse()
                body = answer.read()
            except ConnectionRefusedError:
                return
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(repr(error))
                return
            self.answered.append(answer.status)
            if answer.status == 201:
                self.made.append(json.loads(body)["id"])


def items(server: Running) -> set[str]:
    """Return the ids of every item of acme."""
    found: set[str] = set()
    headers, cursor = server.headers(), ""
    while True:
        page = server.call("GET", f"/items?page_size=200&sort=created_at{cursor}", headers=headers).json()
        found |= {item["id"] for item in page["items"]}
        if not page["page"]["has_more"]:
            return found
        cursor = f"&cursor={page['page']['next_cursor']}"


async def tenants(commands: Commands) -> int:
    """Count the tenants in the embedded server of a directory, from outside."""
    socket = commands.directory / ".tenantry" / "postgres"
    connection = await asyncpg.connect(host=str(socket), user="postgres", database="tenantry")
    try:
        return int(await connection.fetchval("SELECT count(*) FROM control.tenants"))
    finally:
        await connection.close()


class TestTheEnd:
    @pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
    def test_under_load_every_request_is_answered_and_the_exit_code_is_0(
        self, commands_of_demo: Commands, how: signal.Signals
    ) -> None:
        with commands_of_demo.start("dev") as server:
            server.ready()
            with Load(server) as load:
                eventually(lambda: len(load.answered) > 50)
                began = time.monotonic()
                assert server.end(how) == 0
                assert time.monotonic() - began < patience(20)
        assert load.failed == []
        assert set(load.answered) == {200}

    def test_an_interrupt_during_the_start_ends_it_with_130(self, commands: Commands) -> None:
        with commands.start("dev") as server:
            eventually(lambda: "PostgreSQL" in server.out)
            assert server.end(signal.SIGINT, 30) == 130
            assert "Traceback" not in server.err

    def test_the_embedded_server_ends_with_the_last_of_two_that_share_it(self, commands: Commands) -> None:
        data = commands.directory / ".tenantry" / "postgres" / "data"
        with commands.start("dev") as first, commands.start("dev") as second:
            first.ready()
            second.ready()
            assert first.address != second.address
            assert items(first) == items(second)
            assert len(items(first)) == 3, "the demo was planted once, by one of the two"
            first.end()
            assert postmaster_of(data) is not None
            assert second.status("/readyz") == 200
            second.end()
        eventually(lambda: not postgres_processes(data))


class TestKilling:
    def test_no_acknowledged_write_is_lost_with_the_process(self, commands_of_demo: Commands) -> None:
        with commands_of_demo.start("dev") as server:
            server.ready()
            before = items(server)
            with Load(server, clients=5, body=ITEM, pause=0.1) as load:
                eventually(lambda: len(load.made) > 50)
                server.process.kill()
                server.process.wait()
        with commands_of_demo.start("dev") as server:
            assert server.ready() < patience(20)
            missing = set(load.made) - items(server)
            assert (missing, len(before) + len(load.made) <= len(items(server))) == (set(), True)

    def test_a_demo_that_was_not_finished_is_named_at_the_next_start(self, commands: Commands) -> None:
        with commands.start("dev") as server:
            eventually((commands.directory / ".tenantry" / "demo-unfinished").exists, 60)
            eventually(lambda: asyncio.run(tenants(commands)) > 0)
            server.process.kill()
        with commands.start("dev") as server:
            server.ready()
            assert "The demo is not complete" in server.out
            server.end()

    def test_a_killed_postgres_is_started_again_and_answers_503_meanwhile(self, commands: Commands) -> None:
        data = commands.directory / ".tenantry" / "postgres" / "data"
        with commands.start("dev") as server:
            server.ready()
            with Load(server, clients=2, body=ITEM, pause=0.005) as load:
                eventually(lambda: len(load.made) > 20)
                before = postmaster_of(data)
                assert before is not None
                os.kill(before, signal.SIGKILL)
                eventually(lambda: postmaster_of(data) not in {None, before}, 20)
                known = len(load.made)
                eventually(lambda: len(load.made) > known, 20)
            assert load.failed == []
            assert set(load.answered) <= {201, 503}
            assert set(load.made) <= items(server)
            assert "the embedded PostgreSQL ended and is started again" in server.err
            assert server.end() == 0
