from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tenantry.database.embedded import Binaries, EmbeddedServer, NotWritable
from tenantry.database.embedded.home import prepare_home, prepare_socket_directory, socket_directory_of

NOBODY = 65534
Sql = Callable[[EmbeddedServer, str], object]


class TestPaths:
    @pytest.mark.parametrize(
        "name",
        [
            "with space",
            "ünïcødé-日本",
            "q'uo\"te",
            "$HOME `id` $(id) \\n",
            "a,b",
            "%s%20",
            "x" * 120,
            "a?host=b&port=1#x",
        ],
    )
    def test_a_server_runs_in_any_path(self, home: Path, binaries: Binaries, sql: Sql, name: str) -> None:
        moved = home.rename(home.with_name(name))
        with EmbeddedServer(moved, binaries, durable=False) as server:
            assert sql(server, "SELECT 1") == 1

    def test_a_new_server_is_made_in_a_strange_path(self, place: Path, binaries: Binaries, sql: Sql) -> None:
        with EmbeddedServer(place / "$HOME \"'ü" / ("y" * 100), binaries, durable=False) as server:
            assert sql(server, "SELECT 1") == 1
            assert server.socket_directory.stat().st_mode & 0o777 == 0o700
            assert len(os.fsencode(server.socket_directory)) < 60

    def test_two_spellings_of_a_path_are_one_server(self, home: Path, binaries: Binaries) -> None:
        (home.parent / "link").symlink_to(home)
        with EmbeddedServer(home, binaries, durable=False), EmbeddedServer(home.parent / "link", binaries) as other:
            assert other.start() == "joined"


class TestPrivacy:
    def test_an_empty_directory_is_closed(self, place: Path) -> None:
        (place / "home").mkdir(mode=0o755)
        prepare_home(place / "home")
        assert (place / "home").stat().st_mode & 0o777 == 0o700

    def test_an_open_directory_with_other_files_is_refused_and_left_alone(self, place: Path) -> None:
        (place / "home").mkdir(mode=0o755)
        (place / "home" / "letter.txt").touch()
        with pytest.raises(NotWritable, match="holds other files"):
            prepare_home(place / "home")
        assert (place / "home").stat().st_mode & 0o777 == 0o755

    def test_parents_keep_their_modes(self, place: Path) -> None:
        (place / "secret").mkdir(mode=0o700)
        prepare_home(place / "secret" / "home")
        assert (place / "secret").stat().st_mode & 0o777 == 0o700

    def test_a_file_in_the_place_of_the_directory_is_refused(self, place: Path) -> None:
        (place / "home").touch()
        with pytest.raises(NotWritable, match="exists"):
            prepare_home(place / "home")

    @pytest.mark.parametrize("trap", ["open", "link"])
    def test_a_socket_directory_prepared_by_somebody_else_is_refused(self, place: Path, trap: str) -> None:
        place.chmod(0o700)
        directory = place / "trap"
        if trap == "open":
            directory.mkdir()
            directory.chmod(0o777)
        else:
            directory.symlink_to(place)
        with pytest.raises(NotWritable, match="must be a private directory"):
            prepare_socket_directory(directory, place)

    @pytest.mark.skipif(os.geteuid() != 0, reason="needs another account")
    def test_a_socket_directory_of_another_account_is_refused(self, place: Path) -> None:
        directory = place / "trap"
        directory.mkdir(mode=0o700)
        os.chown(directory, NOBODY, NOBODY)
        with pytest.raises(NotWritable, match=f"uid {NOBODY}"):
            prepare_socket_directory(directory, place)

    def test_a_long_path_leads_to_the_same_place_each_time(self, place: Path) -> None:
        one, other = place / ("x" * 100), place / ("y" * 100)
        assert socket_directory_of(one) == socket_directory_of(one) != socket_directory_of(other)
