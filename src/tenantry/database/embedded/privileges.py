"""As whom PostgreSQL's programs run. They refuse root, so root takes another identity without changing the system.

No account is created and no mode of a parent directory is changed (libraries that do so open /root to everybody).
"""

from __future__ import annotations

import os
import pwd
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tenantry.database.embedded.binaries import Binaries
from tenantry.database.embedded.errors import CannotRunAsRoot

_NOBODY = 65534
"""The id that PostgreSQL sees for itself in the user namespace; outside it stays root's, and so do the files."""
_ACCOUNTS = ("postgres", "_postgres", "nobody")
"""Existing accounts to use where user namespaces are forbidden (Docker's default seccomp profile)."""
_REACHABLE = 'for path; do test -x "$path" || { echo "cannot reach $path"; exit 1; }; done'
_LOADER = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


@dataclass(frozen=True, slots=True)
class Privileges:
    """An identity for PostgreSQL's programs: as we are, in a user namespace (`prefix`), or as account `uid`, `gid`."""

    description: str
    prefix: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None

    def run(self, command: Sequence[str | Path], *, directory: Path, timeout: float) -> str | None:
        """Run a program in `directory` and return None, or why it failed: what it said or why it could not be run.

        It is ended after `timeout` seconds. The environment is made anew: a PGDATA, PGPORT or locale of the user must
        not reach the server. Raises nothing.
        """
        environment = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C", "TZ": "UTC"}
        with tempfile.TemporaryFile() as output:  # not a pipe: a grandchild that outlives a timeout would keep it open
            try:
                status = subprocess.run(  # noqa: S603 - fixed commands with paths, and no shell
                    [*self.prefix, *command],
                    cwd=directory,
                    env=environment | {name: os.environ[name] for name in _LOADER if name in os.environ},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    user=self.uid,
                    group=self.gid,
                    extra_groups=None if self.uid is None else [],
                    umask=0o077,
                    timeout=timeout,
                    check=False,
                ).returncode
            except (OSError, subprocess.SubprocessError) as error:
                return str(error)
            output.seek(0)
            return output.read().decode(errors="replace").strip() or f"status {status}" if status else None

    def take_over(self, home: Path) -> None:
        """Give `home` and all in it from root to the account that the server gets, unless it has it already.

        Nothing is done in a directory that somebody else owns: he could swap names under our hands.
        """
        if self.uid is None or self.gid is None or home.stat().st_uid != 0:
            return
        for folder, _, files in os.walk(home, topdown=False):
            for name in files:
                os.chown(Path(folder) / name, self.uid, self.gid, follow_symlinks=False)
            os.chown(folder, self.uid, self.gid, follow_symlinks=False)


def choose_privileges(home: Path, binaries: Binaries) -> Privileges:
    """Return the identity that PostgreSQL gets for the directory `home`.

    Not root: our own. Root: the owner of `home`, if that is not root; else a user namespace; else an existing
    unprivileged account. Only what can reach `home` and the programs is taken. Raises `CannotRunAsRoot`.
    """
    if os.geteuid() != 0:
        return Privileges("this user")
    tried: list[str] = []
    for candidate in _for_root(home):
        problem = _problem(candidate, home, binaries)
        if problem is None:
            return candidate
        tried.append(f"{candidate.description}: {problem}")
    raise CannotRunAsRoot(home, tried)


def _for_root(home: Path) -> Iterator[Privileges]:
    owner = home.stat()
    if owner.st_uid != 0:
        yield Privileges(f"the owner of the directory (uid {owner.st_uid})", uid=owner.st_uid, gid=owner.st_gid)
        return
    namespace = ("unshare", "--user", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}")
    yield Privileges("a user namespace", prefix=namespace)
    for name in _ACCOUNTS:
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        yield Privileges(f"the account {name}", uid=account.pw_uid, gid=account.pw_gid)


def _problem(candidate: Privileges, home: Path, binaries: Binaries) -> str | None:
    """Try `candidate` out: can it be taken, and does it reach the directory and the programs?"""
    check = ("/bin/sh", "-c", _REACHABLE, "sh", home.parent, binaries.directory / "postgres")
    return candidate.run(check, directory=Path("/"), timeout=10)
