from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from subprocess import Popen
from typing import Any

import asyncpg
import pytest

from tenantry.database.embedded import Binaries, EmbeddedServer
from tenantry.database.embedded.leaving import postgres_processes, postmaster_of

Sql = Callable[[EmbeddedServer, str], object]
Users = Callable[..., Any]
Watchers = Callable[[Path], list[int]]
ROWS = 2_000
MAKE = f"CREATE TABLE kept AS SELECT generate_series(1, {ROWS})"
COUNT = "SELECT count(*) FROM kept"


def wait_until(is_reached: Callable[[], bool]) -> bool:
    for _ in range(500):
        if is_reached():
            return True
        time.sleep(0.01)
    return False


class TestKilledUsers:
    def test_the_server_ends_when_its_only_user_is_killed(
        self,
        home: Path,
        user: Users,
        watchers: Watchers,
    ) -> None:
        only = user(home)
        assert only.hear() == "started"
        only.kill()
        assert wait_until(lambda: postgres_processes(home / "data") == [])
        assert wait_until(lambda: watchers(home) == [])

    def test_the_next_user_leaves_properly_when_even_the_watcher_was_killed(
        self, home: Path, user: Users, watchers: Watchers
    ) -> None:
        first = user(home)
        assert first.hear() == "started"
        for pid in watchers(home):
            os.kill(pid, signal.SIGKILL)
        first.kill()
        assert postmaster_of(home / "data") is not None
        second = user(home)
        assert second.hear() == "joined"
        assert len(watchers(home)) == 1
        assert second.tell("stop") == "stopped"

    def test_one_watcher_is_enough_for_many_users_and_it_goes_with_the_last(
        self, home: Path, user: Users, watchers: Watchers
    ) -> None:
        users = [user(home) for _ in range(3)]
        for one in users:
            one.hear()
        assert len(watchers(home)) == 1
        for one in users:
            one.tell("stop")
        assert wait_until(lambda: watchers(home) == [])

    def test_quick_turns_of_users_neither_lose_the_server_nor_leave_one(self, home: Path, user: Users) -> None:
        for turn in range(6):
            one = user(home)
            assert one.hear() in {"started", "joined"}
            assert one.tell("sql SELECT 1") == "1"
            if turn % 2:
                one.kill()
            else:
                assert one.tell("stop") == "stopped"
        assert wait_until(lambda: postgres_processes(home / "data") == [])


class TestKilledServers:
    def test_a_killed_postmaster_recovers_with_all_rows(self, server: EmbeddedServer, sql: Sql) -> None:
        server.start()
        sql(server, MAKE)
        pid = postmaster_of(server.home / "data")
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert wait_until(lambda: postmaster_of(server.home / "data") is None)
        assert server.start() == "recovered"
        assert sql(server, COUNT) == ROWS

    def test_a_backend_that_outlives_its_postmaster_is_ended_before_the_next_start(
        self, server: EmbeddedServer, sql: Sql
    ) -> None:
        server.start()
        sql(server, MAKE)

        def count_for_ever() -> None:
            with suppress(asyncpg.PostgresConnectionError, asyncpg.PostgresError, OSError):
                sql(server, "SELECT sum(x * y) FROM generate_series(1, 3000) x, generate_series(1, 1000000) y")

        busy = threading.Thread(target=count_for_ever)
        busy.start()
        time.sleep(0.3)
        pid = postmaster_of(server.home / "data")
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert server.start() == "recovered"
        busy.join(timeout=5)
        assert not busy.is_alive()
        assert sql(server, COUNT) == ROWS

    def test_everything_killed_at_once_recovers(
        self, home: Path, user: Users, server: EmbeddedServer, sql: Sql, watchers: Watchers
    ) -> None:
        users = [user(home) for _ in range(2)]
        for one in users:
            one.hear()
        users[0].tell(f"sql {MAKE}")
        pids = [*watchers(home), *(one.process.pid for one in users), *postgres_processes(home / "data")]
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert server.start() == "recovered"
        assert sql(server, COUNT) == ROWS
        assert server.stop() == "stopped"

    def test_users_of_a_killed_server_come_together_again(
        self, home: Path, user: Users, server: EmbeddedServer
    ) -> None:
        other = user(home)
        other.hear()
        server.start()
        pid = postmaster_of(home / "data")
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert server.start() == "recovered"
        assert other.tell("sql SELECT 1") == "1"
        assert other.tell("stop") == "left"
        assert server.stop() == "stopped"


class TestStaleFiles:
    @pytest.fixture
    def foreigner(self) -> Iterator[Popen[bytes]]:
        """A living process that has nothing to do with PostgreSQL."""
        with Popen(["/bin/sleep", "60"]) as process:
            yield process
            process.kill()

    def test_a_pid_file_that_names_a_foreign_process_does_not_stop_the_start(
        self, server: EmbeddedServer, foreigner: Popen[bytes]
    ) -> None:
        for name in ("data/postmaster.pid", ".s.PGSQL.5432.lock"):
            (server.home / name).write_text(f"{foreigner.pid}\n{server.home / 'data'}\n1\n5432\n{server.home}\n\n")
        assert server.start() == "recovered"
        assert server.stop() == "stopped"
        assert foreigner.poll() is None

    def test_a_pid_file_that_names_another_server_does_not_stop_that(
        self, server: EmbeddedServer, place: Path, binaries: Binaries, sql: Sql
    ) -> None:
        with EmbeddedServer(place / "other", binaries, durable=False) as other:
            server.start()
            real = (server.home / "data" / "postmaster.pid").read_text()
            named = (other.home / "data" / "postmaster.pid").read_text()
            (server.home / "data" / "postmaster.pid").write_text(named)
            assert postmaster_of(server.home / "data") is None
            (server.home / "data" / "postmaster.pid").write_text(real)
            assert server.stop() == "stopped"
            assert sql(other, "SELECT 1") == 1
