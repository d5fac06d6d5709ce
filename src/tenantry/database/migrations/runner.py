"""Running migrations: control first, then shared, then every placement.

One revision is one transaction with its version row, so a place is at one version or the next, never between. An
advisory lock for each place makes two runners exactly-once. A place that fails is reported and the others go on;
running again does only what is missing.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

import asyncpg

from tenantry.database.errors import SchemaBehind
from tenantry.database.migrations.chains import Chain
from tenantry.database.migrations.report import MigrationReport, Outcome, Progress
from tenantry.database.migrations.scripts import Scripts, Step
from tenantry.database.migrations.versions import read_version, version_statements
from tenantry.database.placement import Placement, PlacementSource
from tenantry.database.planes import CONTROL_SCHEMA, SHARED_SCHEMA, Plane
from tenantry.database.provisioning import schema_statements
from tenantry.database.roles import DatabaseRole
from tenantry.database.row_security import quoted
from tenantry.database.urls import DatabaseUrls
from tenantry.kernel import TenantryError

_SESSION = {
    "application_name": "tenantry migrate",
    "TimeZone": "UTC",
    # Under FORCE the owner would update 0 rows without an error; off, the same statement is refused.
    "row_security": "off",
    "lock_timeout": "5s",
    "statement_timeout": "60s",
}
_FAILURES = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
_LOCK_ATTEMPTS = 4
_LOCK_PAUSE = 0.5  # seconds, doubled each time

Placements = PlacementSource | Sequence[Placement]
"""Where tenants live: a list, or the source that knows it once the control plane is migrated."""


async def migrate(
    urls: DatabaseUrls,
    chains: Iterable[Chain],
    placements: Placements,
    *,
    progress: Progress | None = None,
    dry_run: bool = False,
    parallel: int = 1,
) -> MigrationReport:
    """Bring every place to the newest version of `chains`, with `parallel` connections for the placements.

    Placements that appear while it runs are migrated too. When the control or the shared schema fails, the placements
    are not begun: their code counts on both. Connects as the owner; the URL must not lead through PgBouncer in
    transaction mode, because the locks belong to the session.
    """
    report = MigrationReport()
    scripts = [Scripts(chain) for chain in chains]
    for one in scripts:
        one.check()
    run = _Run(scripts, urls, report, progress, dry_run=dry_run)
    for plane, schema in ((Plane.CONTROL, CONTROL_SCHEMA), (Plane.SHARED, SHARED_SCHEMA)):
        await run.places([schema], plane)
        if report.failed:
            return report
    done: set[str] = set()
    while waiting := [p.schema for p in await listed(placements) if p.schema not in done]:
        shares = [waiting[start::parallel] for start in range(min(parallel, len(waiting)))]
        await asyncio.gather(*(run.places(share, Plane.TENANT) for share in shares))
        done.update(waiting)
    return report


async def create_placement_schema(urls: DatabaseUrls, chains: Iterable[Chain], placement: Placement) -> MigrationReport:
    """Create the schema of one tenant and bring it to the newest version.

    May be repeated after a failure: what is there stays, what is missing is added.
    """
    async with owner_connection(urls) as connection:
        await connection.execute(";".join(schema_statements(placement.schema)))
    report = MigrationReport()
    scripts = [Scripts(chain) for chain in chains]
    await _Run(scripts, urls, report, None, dry_run=False).places([placement.schema], Plane.TENANT)
    return report


async def rewind(urls: DatabaseUrls, chain: Chain, schema: str, *, to: str | None) -> Outcome:
    """Undo the steps of one chain in one schema, back to revision `to` or, with None, to the beginning.

    For development and for a release that must be taken back at once; rows that a step dropped do not return.
    """
    scripts = Scripts(chain)
    async with owner_connection(urls) as connection, _locked(connection, schema):
        version = await read_version(connection, schema, chain)
        steps = scripts.back(version, to)
        for step in steps:
            await _apply(connection, schema, chain, step)
    return Outcome(schema, tuple(f"{chain.name}:{step.revision}" for step in steps))


async def listed(placements: Placements) -> Sequence[Placement]:
    """Return the placements, asking their source if it is one."""
    return placements if isinstance(placements, Sequence) else await placements.placements()


@asynccontextmanager
async def owner_connection(urls: DatabaseUrls) -> AsyncIterator[asyncpg.Connection]:
    """Connect as the owner, with row security refusing instead of filtering, and with every wait bounded."""
    connection = await asyncpg.connect(urls.of(DatabaseRole.OWNER), timeout=10, server_settings=_SESSION)
    try:
        yield connection
    finally:
        if connection.is_in_transaction():
            connection.terminate()
        else:
            await connection.close(timeout=5)


class _Run:
    """One call of `migrate`: its scripts, and where its outcomes go."""

    def __init__(
        self,
        scripts: Sequence[Scripts],
        urls: DatabaseUrls,
        report: MigrationReport,
        progress: Progress | None,
        *,
        dry_run: bool,
    ) -> None:
        self._scripts = scripts
        self._urls = urls
        self._report = report
        self._progress = progress
        self._dry_run = dry_run

    async def places(self, schemas: Iterable[str], plane: Plane) -> None:
        """Migrate each schema; connect again for the next one when the connection is lost."""
        scripts = [one for one in self._scripts if one.chain.plane is plane]
        waiting = list(schemas)
        while waiting:
            try:
                async with owner_connection(self._urls) as connection:
                    while waiting and not connection.is_closed():
                        self._note(await self._place(connection, waiting.pop(0), scripts))
            except _FAILURES as error:
                for schema in waiting:
                    self._note(Outcome(schema, error=_reason(error)))
                return

    async def _place(self, connection: asyncpg.Connection, schema: str, scripts: Sequence[Scripts]) -> Outcome:
        applied: list[str] = []
        sql: list[str] = []
        try:
            async with _locked(connection, schema):
                for one in scripts:
                    for step in await self._missing(connection, schema, one):
                        if not self._dry_run:
                            await _apply(connection, schema, one.chain, step)
                        applied.append(f"{one.chain.name}:{step.revision}")
                        sql.append(step.sql)
        except (TenantryError, *_FAILURES) as error:
            return Outcome(schema, tuple(applied), error=_reason(error))
        return Outcome(schema, tuple(applied), sql="\n".join(sql) if self._dry_run else "")

    async def _missing(self, connection: asyncpg.Connection, schema: str, scripts: Scripts) -> list[Step]:
        version = await read_version(connection, schema, scripts.chain)
        if not scripts.knows(version):
            raise SchemaBehind(f"{scripts.chain.name} is at {version}, which this code does not know: it is too old.")
        return scripts.after(version)

    def _note(self, outcome: Outcome) -> None:
        self._report.outcomes.append(outcome)
        if self._progress is not None:
            self._progress(outcome)


async def _apply(connection: asyncpg.Connection, schema: str, chain: Chain, step: Step) -> None:
    version = version_statements(chain, schema, step)
    if not step.is_transactional:
        await _apply_alone(connection, schema, step)
        await connection.execute(_transaction(schema, version))
        return
    batch = _transaction(schema, [*step.statements, *version])
    for attempt in range(_LOCK_ATTEMPTS):
        try:
            await connection.execute(batch)
        except asyncpg.LockNotAvailableError:
            await _abandon(connection)
            if attempt == _LOCK_ATTEMPTS - 1:
                raise
            await asyncio.sleep(_LOCK_PAUSE * 2**attempt)
        except asyncpg.PostgresError:
            await _abandon(connection)
            raise
        else:
            return


async def _apply_alone(connection: asyncpg.Connection, schema: str, step: Step) -> None:
    """Run statements that refuse a transaction. They wait for whole transactions of others, so without a limit."""
    await connection.execute(
        f"SET search_path = {quoted(schema)}, pg_temp; SET lock_timeout = 0; SET statement_timeout = 0"
    )
    try:
        for statement in step.statements:
            await connection.execute(statement)
    finally:
        if not connection.is_closed():
            await connection.execute("RESET search_path; RESET lock_timeout; RESET statement_timeout")


def _transaction(schema: str, statements: Iterable[str]) -> str:
    """One batch: a place is alone on the search path, so a missing table is an error and never another schema's."""
    return "\n".join(("BEGIN;", f"SET LOCAL search_path = {quoted(schema)}, pg_temp;", *statements, "COMMIT;"))


async def _abandon(connection: asyncpg.Connection) -> None:
    if not connection.is_closed():
        await connection.execute("ROLLBACK")


@asynccontextmanager
async def _locked(connection: asyncpg.Connection, schema: str) -> AsyncIterator[None]:
    """Hold the place. The session holds it, not a transaction: it spans revisions that commit one by one."""
    key = int.from_bytes(hashlib.sha256(f"tenantry migrate {schema}".encode()).digest()[:8], signed=True)
    await connection.execute(f"SET lock_timeout = 0; SELECT pg_advisory_lock({key}); RESET lock_timeout")
    try:
        yield
    finally:
        # A connection that was left in its transaction is ended by whoever opened it, and the lock with it.
        if not (connection.is_closed() or connection.is_in_transaction()):
            await connection.execute(f"SELECT pg_advisory_unlock({key})")


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
