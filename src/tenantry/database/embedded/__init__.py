"""An embedded PostgreSQL: the real thing for development and tests, started and stopped without administration.

    with EmbeddedServer(Path(".tenantry/postgres"), find_binaries()) as server:
        connection = await asyncpg.connect(**server.connect_arguments("postgres", server.superuser))

One server per directory, shared by all processes that name it. Not for production: no TLS, no backups, no passwords.
"""

from tenantry.database.embedded.binaries import Binaries, Version, find_binaries
from tenantry.database.embedded.errors import (
    CannotRunAsRoot,
    DataDirectoryOfAnotherMajor,
    EmbeddedError,
    NoPostgres,
    NotWritable,
    StartFailed,
    StopFailed,
)
from tenantry.database.embedded.server import Beginning, ConnectArguments, EmbeddedServer, Ending

__all__ = [
    "Beginning",
    "Binaries",
    "CannotRunAsRoot",
    "ConnectArguments",
    "DataDirectoryOfAnotherMajor",
    "EmbeddedError",
    "EmbeddedServer",
    "Ending",
    "NoPostgres",
    "NotWritable",
    "StartFailed",
    "StopFailed",
    "Version",
    "find_binaries",
]
