from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tenantry.database.embedded import (
    Binaries,
    DataDirectoryOfAnotherMajor,
    EmbeddedServer,
    StartFailed,
    find_binaries,
)
from tenantry.database.embedded.leaving import postgres_processes

Sql = Callable[[EmbeddedServer, str], object]
Users = Callable[..., Any]
DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")


class TestStarting:
    def test_the_first_start_makes_a_server_that_sorts_by_code_point_and_knows_all_letters(
        self, place: Path, binaries: Binaries, sql: Sql
    ) -> None:
        server = EmbeddedServer(place / "deep" / "new", binaries)
        assert server.start() == "created"
        assert sql(server, "SELECT current_setting('server_encoding') || ' ' || current_setting('fsync')") == "UTF8 on"
        assert (
            sql(server, "SELECT upper('äé') || (SELECT string_agg(x, '' ORDER BY x) FROM unnest('{ä,b,B}'::text[]) x)")
            == "ÄÉBbä"
        )
        assert server.stop() == "stopped"
        assert [path.name for path in server.home.iterdir() if path.name.startswith("initdb")] == []

    def test_an_existing_directory_starts_fast(self, server: EmbeddedServer) -> None:
        before = time.perf_counter()
        assert server.start() == "started"
        assert time.perf_counter() - before < 5  # 0.1 s on an idle machine

    def test_starting_twice_is_joining(self, server: EmbeddedServer) -> None:
        assert [server.start(), server.start()] == ["started", "joined"]

    def test_a_context_ends_what_it_began(self, home: Path, binaries: Binaries) -> None:
        with EmbeddedServer(home, binaries) as server:
            assert postgres_processes(home / "data") != []
        assert postgres_processes(home / "data") == []
        assert server.stop() == "left"

    def test_it_listens_on_a_private_socket_only(self, server: EmbeddedServer, sql: Sql) -> None:
        server.start()
        assert sql(server, "SELECT current_setting('listen_addresses')") == ""
        socket = server.socket_directory / ".s.PGSQL.5432"
        assert [socket.stat().st_mode & 0o777, server.home.stat().st_mode & 0o777] == [0o700, 0o700]

    def test_a_url_leads_to_it_as_well(self, server: EmbeddedServer) -> None:
        async def who() -> object:
            connection = await asyncpg.connect(server.url("postgres", "postgres"))
            try:
                return await connection.fetchval("SELECT current_user || '@' || current_database()")
            finally:
                await connection.close()

        server.start()
        assert asyncio.run(who()) == "postgres@postgres"

    def test_alter_system_cannot_open_a_network_port(self, server: EmbeddedServer, sql: Sql) -> None:
        server.start()
        sql(server, "ALTER SYSTEM SET listen_addresses = '*'")
        server.stop()
        server.start()
        assert sql(server, "SELECT current_setting('listen_addresses')") == ""

    def test_a_start_that_was_killed_while_it_made_the_directory_is_repeated(
        self, place: Path, binaries: Binaries, user: Users
    ) -> None:
        half = user(place / "home")
        while not list(place.glob("home/initdb-*/global")):
            time.sleep(0.005)
        half.kill()
        with EmbeddedServer(place / "home", binaries, durable=False) as server:
            assert (server.home / "data" / "PG_VERSION").exists()

    @pytest.mark.skipif(not DEBIAN_15.exists(), reason="needs Debian's PostgreSQL 15")
    def test_postgresql_15_of_the_system_works_too(self, place: Path, sql: Sql) -> None:
        server = EmbeddedServer(place / "home", find_binaries(DEBIAN_15), durable=False)
        assert [server.start(), server.start()] == ["created", "joined"]
        assert sql(server, "SELECT upper('ä') || current_setting('server_version_num')::int / 10000") == "Ä15"
        assert [server.stop(), server.start(), server.stop()] == ["stopped", "started", "stopped"]


class TestSharing:
    def test_three_at_once_on_a_new_directory_share_one_server(self, place: Path, user: Users) -> None:
        users = [user(place / "home") for _ in range(3)]
        assert sorted(one.hear() for one in users) == ["created", "joined", "joined"]
        assert len({one.tell("sql SELECT pg_postmaster_start_time()") for one in users}) == 1
        assert [one.tell("stop") for one in users] == ["left", "left", "stopped"]

    def test_two_servers_in_one_process_count_as_two_users(self, home: Path, binaries: Binaries, sql: Sql) -> None:
        one, other = EmbeddedServer(home, binaries), EmbeddedServer(home, binaries)
        assert [one.start(), other.start(), one.stop()] == ["started", "joined", "left"]
        assert sql(other, "SELECT 1") == 1
        assert other.stop() == "stopped"

    def test_a_killed_user_does_not_stop_the_others(self, home: Path, user: Users) -> None:
        killed, other = user(home), user(home)
        assert {killed.hear(), other.hear()} == {"started", "joined"}
        killed.kill()
        time.sleep(0.2)
        assert other.tell("sql SELECT 1") == "1"
        assert other.tell("stop") == "stopped"

    def test_a_forked_child_cannot_stop_the_server_of_its_parent(self, server: EmbeddedServer, sql: Sql) -> None:
        server.start()
        child = os.fork()
        if child == 0:
            said = [server.stop(), server.start(), server.stop()]
            os._exit(0 if said == ["left", "joined", "left"] else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert sql(server, "SELECT 1") == 1
        assert server.stop() == "stopped"


class TestRefusing:
    def test_a_directory_of_another_major_is_refused_with_the_way_out(self, home: Path, binaries: Binaries) -> None:
        (home / "data" / "PG_VERSION").write_text("16\n")
        with pytest.raises(DataDirectoryOfAnotherMajor) as refusal:
            EmbeddedServer(home, binaries).start()
        for part in (str(home / "data"), "PostgreSQL 16", f"PostgreSQL {binaries.version.major}", "pg_dumpall", "psql"):
            assert part in str(refusal.value)

    def test_a_refused_start_leaves_no_user_behind(self, home: Path, binaries: Binaries) -> None:
        version = (home / "data" / "PG_VERSION").read_text()
        (home / "data" / "PG_VERSION").write_text("16\n")
        refused = EmbeddedServer(home, binaries)
        with pytest.raises(DataDirectoryOfAnotherMajor):
            refused.start()
        (home / "data" / "PG_VERSION").write_text(version)
        with EmbeddedServer(home, binaries) as other:
            assert refused.stop() == "left"
            assert other.stop() == "stopped"

    def test_a_failed_start_shows_the_last_lines_of_the_log(self, server: EmbeddedServer) -> None:
        (server.home / "data" / "postgresql.conf").write_text("no_such_setting = 1\n")
        with pytest.raises(StartFailed, match=r"(?s)server\.log.*no_such_setting"):
            server.start()

    def test_something_else_in_the_place_of_the_data_is_refused(self, place: Path, binaries: Binaries) -> None:
        (place / "data").mkdir()
        (place / "data" / "letter.txt").touch()
        with pytest.raises(StartFailed, match="not a data directory"):
            EmbeddedServer(place, binaries).start()

    def test_a_server_that_does_not_answer_is_reported_with_its_process(
        self, home: Path, binaries: Binaries, server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server.start()
        pid = int((home / "data" / "postmaster.pid").read_text().split()[0])
        (server.socket_directory / ".s.PGSQL.5432").unlink()
        monkeypatch.setattr("tenantry.database.embedded.server._ANSWER_PATIENCE", 0.2)
        with pytest.raises(StartFailed, match=f"process {pid} "):
            EmbeddedServer(home, binaries).start()

    def test_a_server_whose_socket_directory_was_removed_keeps_its_users(
        self, home: Path, binaries: Binaries, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server = EmbeddedServer(home.rename(home.with_name("x" * 120)), binaries, durable=False)
        server.start()
        before = postgres_processes(server.home / "data")
        shutil.rmtree(server.socket_directory)
        monkeypatch.setattr("tenantry.database.embedded.server._ANSWER_PATIENCE", 0.2)
        with pytest.raises(StartFailed, match="nobody answers"):
            EmbeddedServer(server.home, binaries).start()
        assert set(before) <= set(postgres_processes(server.home / "data"))
        assert server.stop() == "stopped"

    def test_a_removed_directory_is_made_again_and_its_use_counted(self, server: EmbeddedServer, user: Users) -> None:
        server.start()
        pid = int((server.home / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, 9)
        shutil.rmtree(server.home)
        assert server.start() == "created"
        other = user(server.home)
        assert [other.hear(), other.tell("stop")] == ["joined", "left"]
        assert server.stop() == "stopped"

    def test_a_user_of_a_removed_directory_does_not_stop_the_server_in_its_place(
        self, server: EmbeddedServer, binaries: Binaries, sql: Sql
    ) -> None:
        server.start()
        os.kill(int((server.home / "data" / "postmaster.pid").read_text().split()[0]), 9)
        shutil.rmtree(server.home)
        with EmbeddedServer(server.home, binaries, durable=False) as other:
            assert server.stop() == "left"
            time.sleep(0.2)  # the watcher of the removed directory wakes up now
            assert sql(other, "SELECT 1") == 1
            assert other.stop() == "stopped"

    def test_stopping_after_the_directory_was_removed_is_harmless(self, server: EmbeddedServer) -> None:
        server.start()
        pid = int((server.home / "data" / "postmaster.pid").read_text().split()[0])
        shutil.rmtree(server.home)
        assert server.stop() == "left"
        os.kill(pid, 3)  # it would notice by itself, within a minute
