"""Settings of the database floor: where the server is, how many connections, and every time limit."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr

from tenantry.kernel import SettingsGroup


class DatabaseSettings(SettingsGroup):
    """``TENANTRY_DATABASE_…``. Times are seconds; they are ordered: pool wait < statement < command."""

    url: SecretStr | None = None
    """Server for the application role. None: an embedded PostgreSQL in the data directory (development only)."""
    control_url: SecretStr | None = None
    """The same database as the role `tenantry_control`: users, sessions, tenants, memberships."""
    worker_url: SecretStr | None = None
    """The same database as the role `tenantry_worker`: claims jobs and events across tenants."""
    platform_url: SecretStr | None = None
    """The same database as the role `tenantry_platform`: the audited platform administration."""
    owner_url: SecretStr | None = None
    """The same database as the role `tenantry_owner`: `tenantry migrate` alone uses it."""
    binaries: Path | None = None
    """A directory with `initdb`, `pg_ctl` and `postgres` for the embedded server; None: found by itself."""
    pool_size: int = Field(default=8, ge=1, le=500)
    """Connections of the application role in one process."""
    control_pool_size: int = Field(default=4, ge=1, le=100)
    """Connections of the control role in one process."""
    platform_pool_size: int = Field(default=2, ge=1, le=20)
    """Connections of the platform role in one process."""
    pool_wait: float = Field(default=1.0, gt=0, le=30)
    """How long a request waits for a connection before it is answered 503."""
    statement_timeout: float = Field(default=4.0, gt=0, le=600)
    """The server ends a statement after this time."""
    lock_timeout: float = Field(default=2.0, gt=0, le=600)
    """The server gives up waiting for a lock after this time."""
    idle_in_transaction_timeout: float = Field(default=10.0, gt=0, le=600)
    """The server ends a session whose transaction stands idle for this time."""
    command_timeout: float = Field(default=5.0, gt=0, le=600)
    """The client gives up waiting for the server after this time (a black-holed connection)."""
    connect_timeout: float = Field(default=3.0, gt=0, le=60)
    """How long opening a connection may take."""
    pgbouncer: bool = False
    """The URLs lead through PgBouncer in transaction mode: no named prepared statements are kept."""
    plaintext: bool = False
    """Accept URLs that lead to another machine without TLS in production: the network between is private."""
