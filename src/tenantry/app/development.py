"""What development does at start and production leaves to the operator: migrate, and seed the demo once."""

from __future__ import annotations

import asyncpg

from tenantry.app.application import Application
from tenantry.app.assembly import Assembly
from tenantry.database import DatabaseRole, DatabaseUrls
from tenantry.database.migrations import migrate
from tenantry.kernel import ConfigurationError, Environment, Unavailable
from tenantry.tenancy import StoredPlacements

_SEED_LOCK = 0x73656564  # "seed"
_UNFINISHED = "demo-unfinished"
"""In the data directory while the demo is planted: many transactions, of which a killed process leaves some."""
_INTERRUPTED = (
    "\n  The demo is not complete: its first start was interrupted. Delete the data directory to begin afresh."
)


class MigrationFailed(Unavailable):
    """The database could not be brought to the version of this code."""


async def migrated(application: Application, urls: DatabaseUrls) -> int:
    """Bring the database to the version of this code and return how many steps that took.

    Raises `MigrationFailed` naming each place that failed; a step that failed left nothing behind.
    """
    report = await migrate(urls, application.chains, stored_placements(urls))
    if report.failed:
        failures = "\n".join(f"{outcome.place}: {outcome.error}" for outcome in report.failed)
        raise MigrationFailed(f"{failures}\nRemove the cause; `tenantry migrate` or the next start goes on from there.")
    return sum(len(outcome.applied) for outcome in report.outcomes)


def stored_placements(urls: DatabaseUrls) -> StoredPlacements:
    """Return the source of all placements: the pool, and what the tenants' catalog says."""
    return StoredPlacements(urls.of(DatabaseRole.OWNER))


async def seeded(assembly: Assembly) -> str | None:
    """Fill an empty database with the application's demo and return what to print about it; None without a demo.

    Raises `ConfigurationError` in production: a demo there would be accounts with a published password.
    """
    if assembly.settings.environment is Environment.PRODUCTION:
        raise ConfigurationError("The demo seed refuses to run in production.")
    seed = assembly.application.seed
    if seed is None:
        return None
    connection = await assembly.runtime.database.connect(DatabaseRole.CONTROL)
    try:
        await connection.execute(f"SET statement_timeout = 0; SELECT pg_advisory_lock({_SEED_LOCK})", timeout=60)
        unfinished = assembly.settings.data_dir / _UNFINISHED
        if not await _has_tenants(connection):
            unfinished.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            unfinished.touch()
            await seed.plant(assembly)
            unfinished.unlink()
    finally:
        connection.terminate()
    return f"{seed.logins}\n{_INTERRUPTED}" if unfinished.exists() else seed.logins


async def _has_tenants(connection: asyncpg.Connection) -> bool:
    found: bool = await connection.fetchval("SELECT EXISTS (SELECT FROM control.tenants)")
    return found
