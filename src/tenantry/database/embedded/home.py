"""The directories of the embedded server: private, ours, writable, and short enough for a socket."""

from __future__ import annotations

import hashlib
import os
import pwd
import stat
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from tenantry.database.embedded.errors import NotWritable

PORT = 5432
"""Nothing listens on a network port: the number is only a part of the socket's name."""
SOCKET = f".s.PGSQL.{PORT}"
MARK = "boot.lock"
"""A directory with this file is one of ours."""

_LONGEST = 103 if sys.platform == "darwin" else 107
"""Bytes of a socket's path (sun_path without its final zero)."""
_GROUP_AND_OTHERS = 0o077


def prepare_home(home: Path) -> None:
    """Make `home` if it is missing (0700) and make sure that it is a private directory that we own and may write.

    Raises `NotWritable` with the reason.
    """
    try:
        _make(home, 0o700)
        state = home.stat()
        if os.geteuid() not in {0, state.st_uid}:
            raise NotWritable(home, f"it belongs to uid {state.st_uid}, and this process is uid {os.geteuid()}")
        if state.st_mode & _GROUP_AND_OTHERS:
            _close(home, state.st_mode)
        if not os.access(home, os.W_OK | os.X_OK):
            raise NotWritable(home, "it is not writable")
    except OSError as error:
        raise NotWritable(home, _said(error)) from error


def _make(directory: Path, mode: int = 0o755) -> None:
    """Make a directory and its parents. What root makes in a user's directory becomes the user's."""
    if directory.is_dir():
        return
    _make(directory.parent)
    try:
        directory.mkdir(mode)
    except FileExistsError:
        if directory.is_dir():  # another process was faster
            return
        raise
    owner = directory.parent.stat()
    if os.geteuid() == 0 and owner.st_uid != 0 and _is_known(owner.st_uid):
        os.chown(directory, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _is_known(uid: int) -> bool:
    """Tell whether the account has a name: `initdb` refuses to run as one that has none (a mounted host directory)."""
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _close(home: Path, mode: int) -> None:
    """Take the directory from group and others, unless it holds somebody else's files: then they may need it open."""
    if not (home / MARK).exists() and any(home.iterdir()):
        raise NotWritable(home, f"it holds other files and is open to other users (mode {mode & 0o777:04o})")
    home.chmod(0o700)


def socket_directory_of(home: Path) -> Path:
    """Return where the socket of `home` lies: in `home`, or where that cannot be a socket's place, under /tmp.

    A path may be too long for the kernel, and a comma would be read as a list of hosts by every PostgreSQL client.
    """
    if len(os.fsencode(home / SOCKET)) <= _LONGEST and "," not in str(home):
        return home
    # not TMPDIR: two processes with different values would look for the same server in two places
    temporary = Path("/tmp") if os.access("/tmp", os.W_OK | os.X_OK) else Path(tempfile.gettempdir())  # noqa: S108 - a directory of our own is made in it, 0700, and checked
    return temporary / f"tenantry-{hashlib.sha256(os.fsencode(home)).hexdigest()[:20]}"


def prepare_socket_directory(directory: Path, home: Path) -> None:
    """Make the socket's directory (0700, of the owner of `home`) or make sure that it is that, and no link.

    In /tmp anybody may make a directory with our name: whoever owns it could answer as our server.
    Raises `NotWritable`.
    """
    owner = home.stat().st_uid
    try:
        with suppress(FileExistsError):
            directory.mkdir(mode=0o700)
        if os.geteuid() == 0 and directory.lstat().st_uid == 0:
            os.chown(directory, owner, -1, follow_symlinks=False)
        state = directory.lstat()
    except OSError as error:
        raise NotWritable(directory, _said(error)) from error
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != owner or state.st_mode & _GROUP_AND_OTHERS:
        found = f"{stat.filemode(state.st_mode)}, uid {state.st_uid}"
        raise NotWritable(directory, f"it must be a private directory of uid {owner} and is not ({found})")


def _said(error: OSError) -> str:
    return f"{error.strerror or error} ({error.filename})" if error.filename else str(error)
