"""Teams: who counts as in them, what they give, and who may change them."""

from __future__ import annotations

from typing import Any

import pytest
from httpx2 import Response

from tenantry.kernel import new_id
from tenantry.tenancy import Role
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio


async def made(tenant: TestTenant, name: str, **values: Any) -> str:
    """Make a team as the owner; return its id."""
    answer = await tenant.owner.post("/teams", json={"name": f"{tenant.canary}.{name}", **values})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def joins(tenant: TestTenant, role: Role, team_id: str) -> None:
    answer = await tenant.owner.post(f"/teams/{team_id}/members", json={"user_id": str(tenant.people[role])})
    assert answer.status_code == 201, answer.text


def refused(answer: Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


class TestRolesOfTeams:
    async def test_a_team_gives_its_role_to_everybody_in_it_and_in_the_teams_below(self, world: World) -> None:
        tenant = await world.tenant()
        top = await made(tenant, "top", role="owner")
        below = await made(tenant, "below", parent_id=top)
        assert (await tenant.viewer.get("/members")).status_code == 403
        await joins(tenant, Role.VIEWER, below)
        assert (await tenant.viewer.get("/members")).status_code == 200
