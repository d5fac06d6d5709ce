"""The data directory: made in one step, checked for its version, cleaned of a crash's remains, started."""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tenantry.database.embedded.binaries import Binaries
from tenantry.database.embedded.errors import DataDirectoryOfAnotherMajor, StartFailed
from tenantry.database.embedded.home import PORT, SOCKET
from tenantry.database.embedded.leaving import end_orphans
from tenantry.database.embedded.privileges import Privileges

SUPERUSER = "postgres"
DATA = "data"
LOG = "server.log"

_UNFINISHED = "initdb-"
_INITDB_PATIENCE = 60.0
_START_PATIENCE = 60
"""Seconds for `initdb` (0.5 s on an idle machine) and for a start, which may have to recover."""
_LARGE_LOG = 4_000_000
"""Bytes; a larger log is put aside at the next start and replaces the one put aside before."""

_DEVELOPMENT = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "32MB",
    "cluster_name": "tenantry",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
"""On the command line, so that no `ALTER SYSTEM` opens a network port or moves the socket."""
_NOT_DURABLE = {"fsync": "off"}
"""No more than that: `synchronous_commit` off loses committed rows when a server is killed (measured), and without
`full_page_writes` a killed server can leave half a page."""


def is_made(home: Path, binaries: Binaries) -> bool:
    """Tell whether the data directory of `home` exists.

    Raises `DataDirectoryOfAnotherMajor`, and `StartFailed` when something else is in its place.
    """
    data = home / DATA
    try:
        major = int((data / "PG_VERSION").read_text())
    except FileNotFoundError:
        if data.is_dir() and any(data.iterdir()):
            raise StartFailed(home, f"{data} is not a data directory of PostgreSQL") from None
        return False
    except ValueError:
        raise StartFailed(home, f"{data / 'PG_VERSION'} holds no version") from None
    if major != binaries.version.major:
        raise DataDirectoryOfAnotherMajor(data, found=major, binaries=binaries.version.major, origin=binaries.origin)
    return True


@dataclass(frozen=True, slots=True)
class Cluster:
    """The directory `home` of one server, with the programs and the identity that work on it."""

    home: Path
    binaries: Binaries
    privileges: Privileges
    durable: bool

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory."""
        return self.home / DATA

    def make(self) -> None:
        """Run `initdb` and move the finished directory into place: half a data directory is never seen.

        Raises `StartFailed` with what `initdb` said.
        """
        for unfinished in self.home.glob(f"{_UNFINISHED}*"):
            shutil.rmtree(unfinished, ignore_errors=True)
        directory = self.home / f"{_UNFINISHED}{secrets.token_hex(4)}"
        arguments = ("-D", directory.name, "-U", SUPERUSER, "-A", "trust", "-E", "UTF8")
        self._run("initdb", (*arguments, *self._locale(), *self._synced()), _INITDB_PATIENCE)
        directory.rename(self.data)
        if self.durable:
            _sync(self.home)  # else a power cut could take back the name while the rows inside are safe

    def _locale(self) -> tuple[str, ...]:
        """Sort by code point and know all letters, without ICU: the wheels have none."""
        if self.binaries.version.major >= 17:
            return ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        if sys.platform == "darwin":  # has no C.UTF-8
            return ("--locale=C", "--lc-ctype=UTF-8")
        return ("--locale=C.UTF-8",)

    def _synced(self) -> tuple[str, ...]:
        """One sync of the file system takes 0.1 s here, of a thousand files one by one 1.5 s."""
        if not self.durable:
            return ("--no-sync",)
        can_sync_at_once = self.binaries.version.major >= 17 and sys.platform == "linux"
        return ("--sync-method=syncfs",) if can_sync_at_once else ()

    def clean_up(self, socket_directory: Path) -> bool:
        """Remove what a dead server left behind and tell whether there was anything. Needs ``boot.lock``.

        Only to be called when no postmaster runs here. The remains are stale when no backend runs either. The lock
        file of the socket counts too: it stops a start while the dead postmaster is still a zombie (in containers
        whose first process reaps no children). Raises `StartFailed` when a backend cannot be ended.
        """
        remains = (self.data / "postmaster.pid", socket_directory / f"{SOCKET}.lock", socket_directory / SOCKET)
        is_crashed = any(path.exists() for path in remains)
        if not end_orphans(self.data):
            raise StartFailed(self.home, f"processes of a killed server still work in {self.data} and do not end")
        for path in remains:
            path.unlink(missing_ok=True)
        return is_crashed

    def launch(self, socket_directory: Path) -> None:
        """Start the server and wait until it is ready. Raises `StartFailed` with the last lines of its log."""
        before = self._put_aside_large_log()
        arguments = ("-D", DATA, "-l", LOG, "-w", "-t", str(_START_PATIENCE), "-o", self._options(socket_directory))
        self._run("pg_ctl", (*arguments, "start"), _START_PATIENCE + 10.0, log_from=before)

    def _options(self, socket_directory: Path) -> str:
        """Return the server's options for a shell: pg_ctl hands them to one as they are.

        It also puts the names after -D and -l in double quotes, where a dollar sign still means something: hence
        relative names there.
        """
        quoted = str(socket_directory).replace('"', '""')
        settings = _DEVELOPMENT | ({} if self.durable else _NOT_DURABLE) | {"unix_socket_directories": f'"{quoted}"'}
        return " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in settings.items())

    def _put_aside_large_log(self) -> int:
        """Return the size of the log that goes on."""
        log = self.home / LOG
        size = log.stat().st_size if log.exists() else 0
        if size < _LARGE_LOG:
            return size
        log.replace(log.with_suffix(".log.old"))
        return 0

    def _run(self, program: str, arguments: Sequence[str], timeout: float, log_from: int | None = None) -> None:
        command: tuple[str | Path, ...] = (self.binaries.directory / program, *arguments)
        problem = self.privileges.run(command, directory=self.home, timeout=timeout)
        if problem is None:
            return
        log = self.home / LOG
        if log_from is None or not log.exists():
            raise StartFailed(self.home, f"{program} failed: {problem}")
        raise StartFailed(self.home, f"{program} failed: {problem}", log=log, last_lines=_last_lines(log, log_from))


def _last_lines(log: Path, start: int, count: int = 12) -> str:
    with log.open("rb") as lines:
        lines.seek(start)
        return "\n".join(lines.read()[-8_000:].decode(errors="replace").strip().splitlines()[-count:])


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
