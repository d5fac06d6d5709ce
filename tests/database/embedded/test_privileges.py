from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tenantry.database.embedded import Binaries, CannotRunAsRoot, EmbeddedServer, privileges

NOBODY = 65534
Sql = Callable[[EmbeddedServer, str], object]
Users = Callable[..., Any]
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def owners_of(directory: Path) -> set[int]:
    return {path.lstat().st_uid for path in (directory, *directory.rglob("*"))}


class TestOrdinaryUsers:
    @needs_root
    def test_an_ordinary_user_makes_and_stops_a_server(self, place: Path, user: Users) -> None:
        os.chown(place, NOBODY, NOBODY)
        one = user(place / "home", uid=NOBODY)
        assert one.hear() == "created"
        assert one.tell("sql SELECT current_user") == "postgres"
        assert owners_of(place / "home") == {NOBODY}
        assert one.tell("stop") == "stopped"

    @needs_root
    def test_what_another_user_may_not_write_is_refused(self, place: Path, user: Users) -> None:
        place.chmod(0o755)
        assert user(place / "home", uid=NOBODY).hear().startswith("embedded_not_writable: ")
        (place / "home").mkdir()
        said = user(place / "home", uid=NOBODY).hear()
        assert said.startswith("embedded_not_writable: ")
        assert f"belongs to uid 0, and this process is uid {NOBODY}" in said

    @needs_root
    def test_a_directory_without_the_right_to_write_is_refused(self, place: Path, user: Users) -> None:
        os.chown(place, NOBODY, NOBODY)
        (place / "home").mkdir(mode=0o500)
        os.chown(place / "home", NOBODY, NOBODY)
        assert "it is not writable" in user(place / "home", uid=NOBODY).hear()


@needs_root
class TestRoot:
    def test_files_stay_roots_own_in_a_user_namespace(self, server: EmbeddedServer, sql: Sql) -> None:
        server.start()
        assert sql(server, "SELECT 1") == 1
        assert owners_of(server.home) == {0}

    def test_an_existing_account_is_taken_where_namespaces_are_forbidden(
        self, server: EmbeddedServer, sql: Sql, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        place.chmod(0o755)
        monkeypatch.setattr(privileges, "_NOBODY", "forbidden")
        assert server.start() == "started"
        assert sql(server, "SELECT 1") == 1
        (owner,) = owners_of(server.home)
        assert owner != 0
        assert [server.stop(), server.start(), server.stop()] == ["stopped", "started", "stopped"]

    def test_a_new_server_of_an_existing_account_with_a_long_path(
        self, place: Path, binaries: Binaries, sql: Sql, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        place.chmod(0o755)
        monkeypatch.setattr(privileges, "_NOBODY", "forbidden")
        server = EmbeddedServer(place / ("x" * 120), binaries, durable=False)
        assert [server.start(), server.start()] == ["created", "joined"]
        assert sql(server, "SELECT 1") == 1
        assert server.stop() == "stopped"

    def test_root_in_the_directory_of_a_user_leaves_the_files_to_the_user(
        self, place: Path, binaries: Binaries, user: Users
    ) -> None:
        os.chown(place, NOBODY, NOBODY)
        with EmbeddedServer(place / ".tenantry" / "postgres", binaries, durable=False) as server:
            assert owners_of(place) == {NOBODY}
            one = user(server.home, uid=NOBODY)
            assert one.hear() == "joined"
            assert one.tell("stop") == "left"
        assert user(server.home, uid=NOBODY).hear() == "started"

    def test_without_any_way_the_message_names_what_was_tried(
        self, place: Path, binaries: Binaries, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(privileges, "_NOBODY", "forbidden")
        with pytest.raises(CannotRunAsRoot) as refusal:
            EmbeddedServer(place / "inner" / "home", binaries).start()
        for part in ("a user namespace: ", f"the account nobody: cannot reach {place / 'inner'}", "ordinary user"):
            assert part in str(refusal.value)
