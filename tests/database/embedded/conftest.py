"""Homes for servers, processes that use them, and the proof that none of it outlives its test."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest

import tenantry
from tenantry.database.embedded import Binaries, EmbeddedServer, find_binaries
from tenantry.database.embedded.leaving import postgres_processes

MEMORY = Path("/dev/shm")
FAST = MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 1 << 30 else Path("/tmp")
"""Each test copies and removes 40 MB; a container's /dev/shm is too small for that."""


class User:
    """A process that uses the server of `home`."""

    def __init__(self, home: Path, binaries: Binaries, *, uid: int | None = None) -> None:
        places = [Path(asyncpg.__file__).parents[1], Path(tenantry.__file__).parents[1]]
        self.process = subprocess.Popen(
            [_python_for(uid), Path(__file__).with_name("user.py"), home, binaries.directory],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            user=uid,
            group=uid,
            extra_groups=None if uid is None else [],
            cwd="/",
            env={"PGDATA": "/nowhere", "PGPORT": "1", "LC_ALL": "xx_YY"}  # must not matter
            | {"PATH": "/usr/bin:/bin", "PYTHONPATH": os.pathsep.join(map(str, places))},
        )

    def hear(self) -> str:
        assert self.process.stdout is not None
        return str(json.loads(self.process.stdout.readline()))

    def tell(self, command: str) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.hear()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


def _python_for(uid: int | None) -> str:
    """Return a Python of our version that the account can run: ours may lie below /root."""
    name = f"python3.{sys.version_info.minor}"
    for python in (sys.executable, f"/usr/bin/{name}", f"/usr/local/bin/{name}"):
        with suppress(OSError):
            if subprocess.run([python, "-c", ""], user=uid, check=False, cwd="/").returncode == 0:
                return python
    pytest.skip(f"uid {uid} can run no {name}")


@pytest.fixture(scope="session")
def binaries() -> Binaries:
    return find_binaries()


@pytest.fixture
def place() -> Iterator[Path]:
    """A short private directory that every account can reach, empty. At the end nothing may run in it."""
    directory = Path(tempfile.mkdtemp(prefix="pg-", dir=FAST))
    yield directory
    left = processes_of(directory)
    for pid in left:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(directory)
    assert left == []


def processes_of(directory: Path) -> list[int]:
    """Return server processes in a home below `directory`, and watchers of one; those about to end get 2 s."""
    for _ in range(200):
        found = [pid for version in directory.rglob("PG_VERSION") for pid in postgres_processes(version.parent)]
        found += watchers_of(directory)
        if not found:
            break
        time.sleep(0.01)
    return found


def watchers_of(place: Path) -> list[int]:
    """Return the watchers of homes in `place` or of `place` itself."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            _, *words = entry.read_bytes().decode().rstrip("\0").split("\0")
            if any(word.endswith("/leaving.py") for word in words) and Path(words[-1]).is_relative_to(place):
                found.append(int(entry.parent.name))
    return found


@pytest.fixture
def watchers() -> Callable[[Path], list[int]]:
    return watchers_of


@pytest.fixture(scope="session")
def made_once(binaries: Binaries) -> Iterator[Path]:
    """A data directory to copy: `initdb` takes half a second."""
    directory = Path(tempfile.mkdtemp(prefix="pg-made-", dir=FAST))
    with EmbeddedServer(directory / "home", binaries, durable=False):
        pass
    yield directory / "home"
    shutil.rmtree(directory)


@pytest.fixture
def home(place: Path, made_once: Path) -> Path:
    """The home of a server that was stopped properly."""
    shutil.copytree(made_once, place / "home")
    return place / "home"


@pytest.fixture
def server(home: Path, binaries: Binaries) -> Iterator[EmbeddedServer]:
    server = EmbeddedServer(home, binaries, durable=False)
    yield server
    server.stop()


@pytest.fixture
def user(binaries: Binaries) -> Iterator[Callable[..., User]]:
    """Start processes that use a server; what still runs at the end is killed."""
    users: list[User] = []

    def begin(home: Path, *, uid: int | None = None, other: Binaries | None = None) -> User:
        users.append(User(home, other or binaries, uid=uid))
        return users[-1]

    yield begin
    for one in users:
        one.kill()


@pytest.fixture
def sql() -> Callable[[EmbeddedServer, str], object]:
    """Run one statement as the superuser and return its first value."""

    async def ask(server: EmbeddedServer, statement: str) -> object:
        connection = await asyncpg.connect(**server.connect_arguments("postgres", server.superuser))
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return lambda server, statement: asyncio.run(ask(server, statement))
