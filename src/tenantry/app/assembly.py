"""The assembly: everything that lives as long as the process, built in one place, in order, and taken down again.

Web, command line and tests use the same function, so that none of them runs on parts of its own.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from fastapi import Request

from tenantry.access import AccessService
from tenantry.app.application import Application
from tenantry.app.connecting import require_connections
from tenantry.app.parts import Parts
from tenantry.app.readiness import Readiness
from tenantry.app.settings import Settings, refuse_unsafe
from tenantry.cache import FactCache, InvalidationListener
from tenantry.database import ConnectionPool, Database, DatabaseRole, DatabaseUrls, Placement, Plane, constraints_of
from tenantry.database.doctor import assert_safe_roles
from tenantry.database.migrations import create_placement_schema, require_current
from tenantry.identity import IdentityService, derived_key
from tenantry.kernel import Clock, Environment, SystemClock, Unavailable
from tenantry.observability import AccessLog, LineWriter, Metrics
from tenantry.query import CursorSigner
from tenantry.resources import OrmTrail, ResourceEdge
from tenantry.runtime import ConsoleMailer, Courier, DiscardingMailer, Mailer, Runtime, SettingsGroups
from tenantry.standard import StandardServices
from tenantry.tenancy import TenantResolver


@dataclass(frozen=True, slots=True)
class Assembly(Parts):
    """A running application: its parts, what it was built from, and how it is doing."""

    application: Application
    settings: Settings
    listener: InvalidationListener
    readiness: Readiness
    access_log: AccessLog | None


def assembly_of(request: Request) -> Assembly:
    """Return the assembly that serves a request."""
    assembly: Assembly = request.app.state.assembly
    return assembly


@asynccontextmanager
async def assembled(
    application: Application,
    settings: Settings,
    urls: DatabaseUrls,
    *,
    clock: Clock | None = None,
    mailer: Mailer | None = None,
) -> AsyncIterator[Assembly]:
    """Build the parts and take them down at the end; `clock` and `mailer` may be swapped, nothing else.

    Raises `ConfigurationError` for what must not run: weak secrets in production, a database role that could bypass
    row security, a database that is not at the version of this code.
    """
    refuse_unsafe(settings)
    database = Database(urls, settings.database, constraints=constraints_of(application.models))
    facts = FactCache()
    listener = InvalidationListener(facts, partial(database.connect, DatabaseRole.CONTROL))
    try:
        await _refuse_unsafe_database(application, database)
        await listener.start()
        writer = LineWriter(sys.stderr) if settings.log.access else None
        parts = _parts(application, settings, database, facts, listener, writer, clock=clock, mailer=mailer)
        try:
            yield parts
        finally:
            await parts.access.close()
            await parts.runtime.courier.close()
            if writer is not None:
                writer.close()
    finally:
        await listener.stop()
        await database.close()


def _parts(
    application: Application,
    settings: Settings,
    database: Database,
    facts: FactCache,
    listener: InvalidationListener,
    writer: LineWriter | None,
    *,
    clock: Clock | None,
    mailer: Mailer | None,
) -> Assembly:
    resolver = TenantResolver(database, facts)
    catalog = application.catalog()
    runtime = Runtime(
        environment=settings.environment,
        clock=clock or SystemClock(),
        database=database,
        facts=facts,
        courier=Courier(mailer or _mailer(settings.environment)),
        members=resolver,
        metrics=_metrics(database),
        permissions=catalog,
        settings=SettingsGroups(settings),
    )
    served = [router.service.resource for router in application.resources]
    # Grants, explanations and ORM sessions are about records of tenants: nothing of the control plane is lent.
    resources = [one.access for one in served if one.plane is Plane.TENANT]
    database.follow_sessions(OrmTrail(served))
    access = AccessService(runtime, resolver, catalog, resources)
    identity = IdentityService(runtime, settings.identity, membership_of=resolver.membership_of)
    services = StandardServices(
        runtime,
        settings.tenancy,
        resolver,
        catalog,
        resources,
        partial(_prepare, application, database.urls),
        identity,
    )
    gate = access.gate(identity.authenticator)
    return Assembly(
        application=application,
        settings=settings,
        runtime=runtime,
        identity=identity,
        resolver=resolver,
        services=services,
        access=access,
        gate=gate,
        resources=ResourceEdge(
            gate, runtime, CursorSigner(derived_key(settings.identity, "cursors")), settings.page_sizes
        ),
        listener=listener,
        readiness=Readiness(database, application.chains),
        access_log=AccessLog(writer, settings.log.format_for(settings.environment)) if writer is not None else None,
    )


def _mailer(environment: Environment) -> Mailer:
    return DiscardingMailer() if environment is Environment.PRODUCTION else ConsoleMailer()


def _metrics(database: Database) -> Metrics:
    metrics = Metrics()
    for pool in database.pools:
        metrics.register_pool(pool.name, size=partial(_size, pool), idle=partial(_idle, pool))
    return metrics


def _size(pool: ConnectionPool) -> float:
    return pool.open


def _idle(pool: ConnectionPool) -> float:
    return pool.open - pool.in_use


async def _refuse_unsafe_database(application: Application, database: Database) -> None:
    await require_connections(database.urls, _serving_roles(database.urls))
    pool = [Placement.pool()]
    await require_current(database.urls, application.chains, pool)
    connection = await database.connect(DatabaseRole.APP)
    try:
        await assert_safe_roles(connection, application.chains, pool)
    finally:
        await connection.close()


def _serving_roles(urls: DatabaseUrls) -> list[DatabaseRole]:
    return [role for role in DatabaseRole if role is not DatabaseRole.OWNER and urls.has(role)]


async def _prepare(application: Application, urls: DatabaseUrls, placement: Placement) -> None:
    """Create and migrate the schema of a tenant that gets one of its own."""
    report = await create_placement_schema(urls, application.chains, placement)
    if report.failed:
        raise Unavailable(f"The schema of the tenant could not be made: {report.failed[0].error}")
