"""The one world of the tests: a real PostgreSQL of their own, the shipped migrations, the production application.

Each xdist worker has a database of its own in one server that all share. Nothing is rolled back: a rollback would hide
faults of the commit and of settings that outlive a transaction.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.people import LetterBox

from planner.app import application
from tenantry.app import Assembly, Settings, assembled
from tenantry.database import DatabaseUrls, Placement
from tenantry.database.embedded import EmbeddedServer, find_binaries
from tenantry.database.migrations import application_chains, framework_chains, migrate
from tenantry.database.provisioning import provision
from tenantry.kernel import load_settings
from tenantry.testing import TestTenant, World

CHAINS = (*framework_chains(), *application_chains("planner"))


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The plain event loop: uvloop's `close` waits for ever where a failing test left a connection open."""
    return "asyncio"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """The server that all workers of a run share; the last one to leave stops it."""
    base = tmp_path_factory.getbasetemp()
    home = (base.parent if base.name.startswith("popen-") else base) / "postgres"
    with EmbeddedServer(Path(home), find_binaries(), durable=False) as running:
        yield running


@pytest.fixture(scope="session")
def admin_url(server: EmbeddedServer) -> str:
    """The superuser of the test server: for provisioning, planting faults and checking from outside."""
    return server.url("postgres", server.superuser)


@pytest.fixture(scope="session")
async def urls(admin_url: str, worker_id: str) -> DatabaseUrls:
    """A migrated database of this worker, reached as the roles of production."""
    provided = await provision(admin_url, f"tests_{worker_id}")
    report = await migrate(provided, CHAINS, [Placement.pool()])
    assert not report.failed, report.failed
    return provided


@pytest.fixture(scope="session")
async def assembly(urls: DatabaseUrls) -> AsyncIterator[Assembly]:
    """The production assembly, once for a worker; only limits that would slow a suite down are raised."""
    async with assembled(application, suite_settings(), urls) as running:
        yield running


@pytest.fixture(scope="session")
async def world(assembly: Assembly) -> World:
    """People and tenants over the assembly."""
    return World(assembly)


@pytest.fixture(scope="session")
def letters() -> LetterBox:
    """What the mailer of `elsewhere` was given."""
    return LetterBox()


@pytest.fixture(scope="session")
async def elsewhere(assembly: Assembly, urls: DatabaseUrls, letters: LetterBox) -> AsyncIterator[World]:
    """A second application on the same database, as another process would be: it hears only what is announced."""
    async with assembled(application, assembly.settings, urls, mailer=letters) as running:
        yield World(running)


@pytest.fixture
async def tenants_of_world(world: World) -> tuple[TestTenant, TestTenant]:
    """Two new tenants without a common member."""
    return await world.two_tenants()


def suite_settings() -> Settings:
    """The settings of the suite: those of production where they do not need a secret of its own.

    Longer is what a slow or busy machine must not fail at: people stay signed in to the end, statements have more time.
    """
    environ = {
        "TENANTRY_ENVIRONMENT": "test",
        "TENANTRY_LOG_ACCESS": "false",
        "TENANTRY_IDENTITY_SECRET": "a-key-of-the-test-suite-0123456789-abcdef",
        "TENANTRY_IDENTITY_ACCESS_MINUTES": "60",
        "TENANTRY_DATABASE_POOL_WAIT": "5",
        "TENANTRY_DATABASE_STATEMENT_TIMEOUT": "20",
    }
    return load_settings(Settings, environ)
