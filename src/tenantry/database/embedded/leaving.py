"""Who uses a server, and its end when nobody does.

Users are counted by the kernel: each holds a *shared* flock on ``use.lock``, and any death gives it back. Whoever can
lock it exclusively is alone. A pid proves nothing (it is reused after a reboot, and a zombie keeps it): a process is
ours only when it is a `postgres` whose working directory is our data directory.

Standard library only, no import from the package: this very file also runs as the *watcher*, a process of its own that
sleeps in the kernel until the last user is gone, however it went, and then ends the server. Without it a killed user
would leave the server running until some later process leaves properly. It needs no site-packages and about 10 MB.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

USE = "use.lock"
FAST, IMMEDIATE = signal.SIGINT, signal.SIGQUIT
"""PostgreSQL's words for its two signals: end all sessions and write everything; end at once and recover later."""

_PATIENCE = ((FAST, 30.0), (IMMEDIATE, 10.0))
"""How long each signal may take, in seconds."""
_INTERPRETERS = ("python", "pypy")
_STEP = 0.005
"""Seconds between two looks at something that has no event to wait for."""
_BOOT_PATIENCE = 200.0
"""Seconds to wait for another process that starts or stops the server: longer than its own limits together."""


def open_lock(home: Path, name: str) -> int:
    """Open a lock file of `home`, made when missing, and return its descriptor.

    Raises `OSError` when the directory is gone or not writable.
    """
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    with suppress(FileExistsError):
        descriptor = os.open(home / name, flags | os.O_CREAT | os.O_EXCL, 0o600)
        if os.geteuid() == 0:  # the owner of the directory must be able to open it when he comes without root
            owner = home.stat()
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        return descriptor
    return os.open(home / name, flags)


def locks_now(descriptor: int, operation: int) -> bool:
    """Take a flock without waiting and tell whether it was granted."""
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def alone_at_the_switch(home: Path) -> Iterator[None]:
    """Hold ``boot.lock``: starting, joining, leaving and stopping happen one at a time.

    Raises `TimeoutError` after 200 s: the holder hangs. Raises `OSError` when `home` is gone or not writable.
    """
    boot = open_lock(home, "boot.lock")
    try:
        if not _wait(lambda: locks_now(boot, fcntl.LOCK_EX), _BOOT_PATIENCE):
            raise TimeoutError(f"another process has held {home / 'boot.lock'} for {_BOOT_PATIENCE:.0f} s")
        yield
    finally:
        os.close(boot)


def counts_in(home: Path, use: int) -> bool:
    """Tell whether `use` is the present ``use.lock`` of `home`, and not of a directory that was removed or moved away.

    A lock on a file that nobody else can open any more would make its holder believe that it is alone.
    """
    try:
        return os.path.samestat(os.fstat(use), (home / USE).stat())
    except FileNotFoundError:
        return False


def is_last_user(use: int) -> bool:
    """Tell whether no other process uses the server; on True `use` is locked exclusively. Needs ``boot.lock``.

    The watcher waits in line for the exclusive lock. Turning a shared lock into an exclusive one gives up the shared
    one first, so the watcher may slip in for a moment; waiting for a shared lock outlasts that, and then the watcher
    stands at ``boot.lock``, which we hold. The second answer is therefore final.
    """
    if locks_now(use, fcntl.LOCK_EX):
        return True
    fcntl.flock(use, fcntl.LOCK_SH)
    return locks_now(use, fcntl.LOCK_EX)


def postmaster_of(data: Path) -> int | None:
    """Return the pid of the server that runs in `data`, None when ``postmaster.pid`` is absent or names another."""
    try:
        pid = int((data / "postmaster.pid").read_bytes().split(maxsplit=1)[0])
    except (OSError, ValueError, IndexError):
        return None
    return pid if pid in postgres_processes(data, only=pid) else None


def postgres_processes(data: Path, *, only: int | None = None) -> list[int]:
    """Return the pids of all living PostgreSQL processes in `data`, with or without a postmaster.

    `only` narrows the question to one pid. Zombies are not alive: the kernel shows no working directory for them.
    """
    try:
        place = data.stat()
    except OSError:
        return []
    if not Path("/proc/self/cwd").exists():
        return _seen_by_lsof(place, only)
    pids = (
        [only] if only is not None else [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    )
    return [pid for pid in pids if _is_postgres_in(pid, place)]


def _is_postgres_in(pid: int, place: os.stat_result) -> bool:
    try:
        name = Path(f"/proc/{pid}/comm").read_bytes()
        return name.startswith(b"postgres") and os.path.samestat(Path(f"/proc/{pid}/cwd").stat(), place)
    except OSError:  # gone, a zombie, or of another user: then it cannot work in our private directory
        return False


def _seen_by_lsof(place: os.stat_result, only: int | None) -> list[int]:
    """The same without /proc (macOS). Device and inode are compared: lsof garbles names that are not ASCII."""
    command = ["lsof", "-a", "-w", "-c", "postgres", "-d", "cwd", "-F", "pDi"]
    if only is not None:
        command += ["-p", str(only)]
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin"
    said = subprocess.run(  # noqa: S603 - a fixed command, and no shell
        command, capture_output=True, text=True, check=False, env={"PATH": path}
    ).stdout
    found: list[int] = []
    pid, device = 0, -1
    for line in said.splitlines():
        match line[:1]:
            case "p":
                pid, device = int(line[1:]), -1
            case "D":
                device = int(line[1:], 16)
            case "i" if (device, int(line[1:])) == (place.st_dev, place.st_ino):
                found.append(pid)
    return found


def end_server(data: Path) -> bool:
    """Stop the server of `data` and wait for its end: fast, after 30 s immediately. False: it still runs after 40 s."""
    for how, patience in _PATIENCE:
        pid = postmaster_of(data)
        if pid is None:
            return True
        with suppress(ProcessLookupError):
            os.kill(pid, how)
        if _wait(partial(_is_gone, data, pid), patience):
            return True
    return False


def end_orphans(data: Path) -> bool:
    """End backends whose postmaster was killed; their transactions are lost anyway. False: one still runs after 10 s.

    They notice the death by themselves, except in the middle of a long statement. A new server beside them would
    write to the same files.
    """
    for pid in postgres_processes(data):
        with suppress(ProcessLookupError):
            os.kill(pid, IMMEDIATE)
    return _wait(partial(_is_gone, data, None), 10.0)


def _is_gone(data: Path, pid: int | None) -> bool:
    return not postgres_processes(data, only=pid)


def _wait(is_reached: Callable[[], bool], patience: float) -> bool:
    deadline = time.monotonic() + patience
    while not is_reached():
        if time.monotonic() > deadline:
            return False
        time.sleep(_STEP)
    return True


def ensure_watcher(home: Path) -> None:
    """Start the watcher of `home` unless one lives. Needs ``boot.lock``; returns when it watches.

    Without a Python to run it (frozen applications, servers that embed Python) there is none: the server then ends
    with the next user who leaves properly.
    """
    watch = open_lock(home, "watch.lock")
    try:
        is_watched = not locks_now(watch, fcntl.LOCK_SH)
    finally:
        os.close(watch)
    if is_watched or not Path(sys.executable or "").name.lower().startswith(_INTERPRETERS):
        return
    subprocess.run(  # noqa: S603 - this Python with this file, and no shell
        [sys.executable, "-I", "-S", __file__, home],
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        check=False,
    )


def _watch(home: Path) -> None:
    """Wait until nobody uses the server of `home`, then end it."""
    use = open_lock(home, USE)
    while True:
        fcntl.flock(use, fcntl.LOCK_EX)
        fcntl.flock(use, fcntl.LOCK_UN)
        with alone_at_the_switch(home):
            if not counts_in(home, use):
                return
            if is_last_user(use):
                end_server(home / "data")
                os._exit(0)  # gives back all locks at once: nobody meets a watcher that is about to leave
            fcntl.flock(use, fcntl.LOCK_UN)


def main() -> None:
    """Become the watcher of the directory in the first argument: the caller returns as soon as it watches."""
    home = Path(sys.argv[1])
    watch = open_lock(home, "watch.lock")
    if locks_now(watch, fcntl.LOCK_EX) and os.fork() == 0:
        with suppress(OSError):  # the directory was removed: the server ends by itself within a minute
            _watch(home)


if __name__ == "__main__":
    main()
