"""The live catalogue of a database with tenants in both placements is what row security needs."""

from __future__ import annotations

import asyncpg
import pytest
from tests.acceptance import structure

from tenantry.database import PlacementKind
from tenantry.testing import World

pytestmark = pytest.mark.anyio

CHECKS = [check for name, check in vars(structure).items() if name.startswith("assert_") and name != "assert_structure"]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("assert_"))
async def test_the_structure_holds(check: object, world: World, admin: asyncpg.Connection) -> None:
    await world.tenant(side="structure", placement=PlacementKind.SCHEMA)
    await check(admin)  # type: ignore[operator]
