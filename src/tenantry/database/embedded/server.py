"""The embedded server as its users see it: start, connect, stop."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, TypedDict
from urllib.parse import quote

from tenantry.database.embedded.binaries import Binaries
from tenantry.database.embedded.cluster import DATA, SUPERUSER, Cluster, is_made
from tenantry.database.embedded.errors import NotWritable, StartFailed, StopFailed
from tenantry.database.embedded.home import (
    PORT,
    SOCKET,
    prepare_home,
    prepare_socket_directory,
    socket_directory_of,
)
from tenantry.database.embedded.leaving import (
    USE,
    alone_at_the_switch,
    counts_in,
    end_server,
    ensure_watcher,
    is_last_user,
    open_lock,
    postmaster_of,
)
from tenantry.database.embedded.privileges import choose_privileges
from tenantry.database.embedded.probing import ServerAnswer, ask_server

Beginning = Literal["created", "started", "joined", "recovered"]
"""`created`: the data directory is new; `joined`: the server ran already; `recovered`: the one before had crashed."""
Ending = Literal["stopped", "left"]
"""`stopped`: we were the last user; `left`: others still use the server, or we did not."""

_ANSWER_PATIENCE = 60.0
"""Seconds that a running server may take until it accepts connections (it may be recovering)."""


class ConnectArguments(TypedDict):
    """Keyword arguments for ``asyncpg.connect`` and ``asyncpg.create_pool``."""

    host: str
    port: int
    user: str
    database: str


class EmbeddedServer:
    """A PostgreSQL server in the directory `home`, shared by all processes that name the same directory.

    It listens on a socket in a private directory and on no network port, so there are no passwords: whoever may enter
    the directory is trusted. It runs as long as at least one process uses it; a killed process is a user no more.
    `home` is a directory of its own; it is made when missing. `durable=False` gives up safety against power cuts
    (not against killed processes) for speed: for tests; whoever starts the server decides.

    Methods block; asynchronous callers use ``asyncio.to_thread``. Not for several threads at once. A child made by
    ``os.fork`` is a user only after its own `start`.

    >>> from tenantry.database.embedded import Version
    >>> server = EmbeddedServer(Path("/srv/planner"), Binaries(Path("/pg/bin"), Version(18, "18.6"), "an example"))
    >>> server.connect_arguments("planner", "tenantry_app")["host"]
    '/srv/planner'
    >>> server.url("planner", "tenantry_app")
    'postgresql://tenantry_app@/planner?host=%2Fsrv%2Fplanner&port=5432'
    """

    superuser = SUPERUSER
    """Bypasses row security: for making roles and databases, never for an application."""
    port = PORT
    """Part of the socket's name; nothing listens on it."""

    def __init__(self, home: Path, binaries: Binaries, *, durable: bool = True) -> None:
        self.home = home.expanduser().resolve()
        self.binaries = binaries
        self.durable = durable
        self.socket_directory = socket_directory_of(self.home)
        """The `host` for clients: `home`, or a private directory under /tmp when `home` cannot hold a socket."""
        self._use: int | None = None
        self._process = os.getpid()

    def start(self) -> Beginning:
        """Use the server; start it if it does not run, make it if it does not exist. Returns when it is ready.

        Calling it again is harmless, and brings back a server that crashed meanwhile. Takes about 0.1 s, the first
        time 0.7 s, to join 3 ms. Every wait has a limit: 60 s for a server, 200 s for another process that starts it.

        Raises `NotWritable`, `CannotRunAsRoot`, `DataDirectoryOfAnotherMajor` and `StartFailed`.
        """
        prepare_home(self.home)
        try:
            with alone_at_the_switch(self.home):
                return self._start_as_user()
        except TimeoutError as error:
            raise StartFailed(self.home, str(error)) from error
        except OSError as error:
            raise NotWritable(self.home, str(error)) from error

    def stop(self) -> Ending:
        """Give up the use of the server; the last user ends it (all sessions end, everything is written, 0.1 s).

        Does nothing when we do not use it. Raises `StopFailed` when it runs on after 40 s, or
        when another process that starts it takes more than 200 s.
        """
        use, self._use = self._use, None
        if use is None:
            return "left"
        try:
            return "left" if os.getpid() != self._process else self._leave(use)
        except TimeoutError as error:
            raise StopFailed(self.home, postmaster_of(self.home / DATA)) from error
        except FileNotFoundError:  # somebody removed `home`: the server notices within a minute and ends by itself
            return "left"
        finally:
            os.close(use)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def connect_arguments(self, database: str, role: str) -> ConnectArguments:
        """Return what ``asyncpg.connect(**…)`` needs to connect to `database` as `role`."""
        return {"host": str(self.socket_directory), "port": PORT, "user": role, "database": database}

    def url(self, database: str, role: str) -> str:
        """Return the same as a URL, for asyncpg and for every PostgreSQL tool (``psql "$url"``)."""
        host = quote(os.fsencode(self.socket_directory), safe="")
        return f"postgresql://{quote(role, safe='')}@/{quote(database, safe='')}?host={host}&port={PORT}"

    def _start_as_user(self) -> Beginning:
        """Take a share first: whoever leaves meanwhile must see that the server is needed. Give it back on failure."""
        is_new = not self._has_share()
        if is_new:
            if self._use is not None:
                os.close(self._use)
            self._use, self._process = open_lock(self.home, USE), os.getpid()
            fcntl.flock(self._use, fcntl.LOCK_SH)
        try:
            return self._join_or_launch()
        except BaseException:
            if is_new and self._use is not None:
                os.close(self._use)
                self._use = None
            raise

    def _has_share(self) -> bool:
        """Not if a fork made it the parent's too, nor if `home` was removed and the lock file with it."""
        return self._use is not None and self._process == os.getpid() and counts_in(self.home, self._use)

    def _join_or_launch(self) -> Beginning:
        exists = is_made(self.home, self.binaries)
        data = self.home / DATA
        if exists:
            prepare_socket_directory(self.socket_directory, self.home)
            if self._answers(data):
                ensure_watcher(self.home)
                return "joined"
        privileges = choose_privileges(self.home, self.binaries)
        privileges.take_over(self.home)
        prepare_socket_directory(self.socket_directory, self.home)
        ensure_watcher(self.home)  # before there is anything to watch: we may be killed during the start
        cluster = Cluster(self.home, self.binaries, privileges, self.durable)
        if not exists:
            cluster.make()
        is_crashed = cluster.clean_up(self.socket_directory)
        try:
            cluster.launch(self.socket_directory)
        except StartFailed:
            if not self._answers(data):  # else the start of a killed process went on and was faster
                raise
            return "joined"
        return "created" if not exists else "recovered" if is_crashed else "started"

    def _answers(self, data: Path) -> bool:
        """Wait until the running server is ready; False when none runs. Raises `StartFailed` after 60 s."""
        deadline = time.monotonic() + _ANSWER_PATIENCE
        while True:
            answer = ask_server(self.socket_directory / SOCKET, user=SUPERUSER, database=SUPERUSER)
            if answer is ServerAnswer.READY:
                return True
            pid = postmaster_of(data)
            if answer is ServerAnswer.NONE and pid is None:
                return False
            if time.monotonic() > deadline:
                address = self.socket_directory / SOCKET
                raise StartFailed(self.home, f"process {pid} works in {data}, but {address} says: {answer.value}")
            time.sleep(0.01)

    def _leave(self, use: int) -> Ending:
        with alone_at_the_switch(self.home):
            if not (counts_in(self.home, use) and is_last_user(use)):
                return "left"
            data = self.home / DATA
            if not end_server(data):
                raise StopFailed(self.home, postmaster_of(data))
            if self.socket_directory != self.home:
                with suppress(OSError):
                    self.socket_directory.rmdir()
            return "stopped"
