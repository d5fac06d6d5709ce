"""No route of the application is left without an allowed call, and no log line shows a text, in either placement.

That nothing of a tenant reaches another one, by any route and in any role, is proved by `tests/proof`.
"""

from __future__ import annotations

import asyncpg
import pytest
from tests.acceptance.conftest import Watched
from tests.acceptance.controls import Exposure, use_every_route
from tests.acceptance.rest_of_surface import use_the_rest
from tests.acceptance.scenery import Scenery, furnish
from tests.acceptance.surface import operations_of, routed, tenant_operations

from tenantry.database import PlacementKind

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module", params=[PlacementKind.POOL, PlacementKind.SCHEMA])
async def furnished(request: pytest.FixtureRequest, watched: Watched) -> tuple[Scenery, Scenery]:
    """Two tenants without a common member, each with something of everything."""
    mine, victim = await watched.world.two_tenants(placement=request.param)
    return await furnish(mine), await furnish(victim)


async def test_every_route_lets_the_owner_in(furnished: tuple[Scenery, Scenery], admin: asyncpg.Connection) -> None:
    mine, victim = furnished
    exposure = await Exposure.of(victim, admin)
    await use_every_route(mine, exposure)
    assert exposure.allowed == {operation.id for operation in tenant_operations(mine.tenant.world.app)}


async def test_every_route_that_is_not_of_a_tenant_works_for_whoever_may(watched: Watched) -> None:
    """Together with the test above: no route of the application is left without an allowed call."""
    app = watched.world.app
    used = await use_the_rest(watched)
    assert used == {one.id for one in operations_of(app) if not one.is_of_tenant}
    assert {(one.method, one.path) for one in operations_of(app)} == routed(app)


async def test_nothing_that_was_logged_shows_a_text_of_a_tenant(
    furnished: tuple[Scenery, Scenery], watched: Watched
) -> None:
    written = watched.written.lower()
    for scenery in furnished:
        assert scenery.canary.lower() not in written
        assert not [token for token in scenery.tenant.tokens.values() if token.lower() in written]
