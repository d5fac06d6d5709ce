"""What is explained about giving grants is what the routes of grants do: no grant decides it, the roles do."""

from __future__ import annotations

from typing import Any

import pytest
from tests.standard.explain.explaining import explained, given, project_of

from tenantry.tenancy import Role
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio


async def agreed(tenant: TestTenant, project: str, role: Role) -> dict[str, Any]:
    """Return what is explained to somebody about themselves, which has to be what the routes do."""
    client = tenant.as_(role)
    told = await explained(client, "projects:grant", resource_id=project)
    assert ((await client.get(f"/projects/{project}/grants")).status_code == 200) is told["allowed"], told
    return told


async def test_no_grant_makes_somebody_an_administrator(world: World) -> None:
    tenant = await world.tenant()
    project = await project_of(tenant.owner, tenant)
    await given(tenant, "project", "projects:*", "allow")
    await given(tenant, f"/projects/{project}", "projects:*", "allow")
    told = await agreed(tenant, project, Role.MEMBER)
    assert (told["allowed"], told["decided_by"]) == (False, "nothing")


async def test_no_grant_takes_it_away_either_not_even_one_that_hides_the_record(world: World) -> None:
    tenant = await world.tenant()
    project = await project_of(tenant.owner, tenant)
    for action in ("projects:*", "projects:read"):
        deny: dict[str, Any] = {"subject_type": "role", "subject_id": "owner"}
        await given(tenant, f"/projects/{project}", action, "deny", **deny)
    await given(tenant, "project", "projects:*", "deny", subject_type="role", subject_id="owner")
    told = await agreed(tenant, project, Role.OWNER)
    assert (told["allowed"], told["decided_by"], told["role"]) == (True, "allow_always", "owner")


async def test_a_role_that_has_the_permission_administers(world: World) -> None:
    tenant = await world.tenant()
    project = await project_of(tenant.owner, tenant)
    assert (await tenant.owner.post("/roles", json={"name": "clerk", "permissions": ["projects:*"]})).status_code == 201
    path = f"/members/{tenant.people[Role.MANAGER]}"
    assert (await tenant.owner.patch(path, json={"role": "clerk"})).status_code == 200
    told = await agreed(tenant, project, Role.MANAGER)
    assert (told["allowed"], told["decided_by"], told["role"]) == (True, "role", "clerk")
