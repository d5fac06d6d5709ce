"""Deleting a user: out of every tenant, and never the last owner of one."""

from __future__ import annotations

import pytest

from tenantry.tenancy import Role
from tenantry.testing import World

pytestmark = pytest.mark.anyio


async def test_the_last_owner_of_a_tenant_cannot_be_deleted_and_leaves_nothing(world: World) -> None:
    owned, joined = await world.tenant(side="leaving"), await world.tenant(side="staying")
    owner = owned.people[Role.OWNER]
    await world.assembly.services.members.add(joined.system, owner, Role.VIEWER)

    refused = await owned.owner.delete(f"/users/{owner}")

    assert (refused.status_code, refused.json()["code"]) == (409, "last_owner")
    assert (await owned.owner.get("/items")).status_code == 200
    listed = (await joined.owner.get("/members")).json()["items"]
    assert str(owner) in {member["user_id"] for member in listed}


async def test_a_deleted_user_is_a_member_nowhere(world: World) -> None:
    tenant = await world.tenant(side="gone")
    viewer = tenant.people[Role.VIEWER]

    assert (await tenant.viewer.delete(f"/users/{viewer}")).status_code == 204

    listed = (await tenant.owner.get("/members")).json()["items"]
    assert str(viewer) not in {member["user_id"] for member in listed}
    assert (await tenant.viewer.get("/items")).status_code == 401
