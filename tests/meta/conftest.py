"""A ground of its own for planted faults: a scratch database, and an application on it that nobody else uses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import pytest
from tests.acceptance.conftest import url_of_admin
from tests.acceptance.scenery import Scenery, furnish
from tests.conftest import CHAINS, suite_settings

from planner.app import application
from tenantry.app import assembled
from tenantry.database import Placement
from tenantry.database.migrations import migrate
from tenantry.database.provisioning import drop_database, provision
from tenantry.proof import Scratch
from tenantry.testing import World


@dataclass(frozen=True)
class Ground:
    """Where faults are planted: the application, and the superuser in its database."""

    world: World
    admin: asyncpg.Connection
    scratch: Scratch

    async def furnished(self) -> tuple[Scenery, Scenery]:
        """Return two new tenants with something of everything."""
        mine, victim = await self.world.two_tenants()
        return await furnish(mine), await furnish(victim)


@pytest.fixture(scope="module")
async def ground(admin_url: str, worker_id: str) -> AsyncIterator[Ground]:
    name = f"planted_{worker_id}"
    urls = await provision(admin_url, name)
    report = await migrate(urls, CHAINS, [Placement.pool()])
    assert not report.failed, report.failed
    scratch = Scratch(urls, url_of_admin(urls, admin_url), "")
    admin = await asyncpg.connect(scratch.admin_url)
    async with assembled(application, suite_settings(), urls) as assembly:
        yield Ground(World(assembly), admin, scratch)
    await admin.close()
    await drop_database(admin_url, name)
