from __future__ import annotations

import os
import shutil
import signal
import sys

import pytest

from tenantry.database.embedded import EmbeddedServer, StartFailed, StopFailed, leaving
from tenantry.database.embedded.leaving import alone_at_the_switch, ensure_watcher, postgres_processes


@pytest.mark.skipif(shutil.which("lsof") is None, reason="needs lsof")
def test_lsof_sees_the_same_processes_as_proc(server: EmbeddedServer) -> None:
    server.start()
    data = server.home / "data"
    place, all_of_them = data.stat(), postgres_processes(data)
    assert set(leaving._seen_by_lsof(place, None)) == set(all_of_them) != set()
    assert leaving._seen_by_lsof(place, all_of_them[0]) == all_of_them[:1]
    assert leaving._seen_by_lsof(server.home.stat(), None) == []


def test_a_switch_that_is_held_for_too_long_is_reported(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaving, "_BOOT_PATIENCE", 0.05)
    server.start()
    with alone_at_the_switch(server.home), pytest.raises(StartFailed, match=r"another process has held .*boot\.lock"):
        server.start()


def test_a_program_that_is_no_python_gets_no_watcher(server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    server.start()
    monkeypatch.undo()
    with alone_at_the_switch(server.home):
        ensure_watcher(server.home)


def test_a_server_that_does_not_stop_is_reported_and_ends_when_it_can(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.start()
    data = server.home / "data"
    pid = leaving.postmaster_of(data)
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    monkeypatch.setattr(leaving, "_PATIENCE", ((leaving.FAST, 0.1), (leaving.IMMEDIATE, 0.1)))
    with pytest.raises(StopFailed, match=f"process {pid}"):
        server.stop()
    os.kill(pid, signal.SIGCONT)  # the fixture proves that it is gone at the end
