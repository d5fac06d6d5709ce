from __future__ import annotations

from pathlib import Path

import pytest

from tenantry.database.embedded import EmbeddedServer, StartFailed, cluster, find_binaries


def test_a_large_log_is_put_aside(server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_LARGE_LOG", 10)
    (server.home / "server.log").write_text("old lines" * 10)
    server.start()
    assert (server.home / "server.log.old").read_text() == "old lines" * 10
    assert "old lines" not in (server.home / "server.log").read_text()


def test_a_version_file_without_a_version_is_refused(server: EmbeddedServer) -> None:
    (server.home / "data" / "PG_VERSION").write_text("?")
    with pytest.raises(StartFailed, match="PG_VERSION holds no version"):
        server.start()


def test_a_failed_initdb_shows_what_it_said_and_leaves_no_half_directory(place: Path) -> None:
    lines = {"initdb": "echo no space left; exit 1", "pg_ctl": "", "postgres": "echo '(PostgreSQL) 18.1'"}
    (place / "bin").mkdir()
    for name, line in lines.items():
        (place / "bin" / name).write_text(f"#!/bin/sh\n{line}\n")
        (place / "bin" / name).chmod(0o755)
    broken = EmbeddedServer(place / "new", find_binaries(place / "bin"))
    with pytest.raises(StartFailed, match="initdb failed: no space left"):
        broken.start()
    assert not (place / "new" / "data").exists()
