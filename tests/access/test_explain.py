"""Explanations over HTTP: each line of the order is named where it decides, and what is explained is what happens."""

from __future__ import annotations

from typing import Any

import pytest
from httpx2 import AsyncClient

from tenantry.tenancy import Role
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio


async def project_of(client: AsyncClient, tenant: TestTenant) -> str:
    answer = await client.post("/projects", json={"name": f"{tenant.canary}.project"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def task_of(client: AsyncClient, tenant: TestTenant, project: str) -> str:
    answer = await client.post(f"/projects/{project}/tasks", json={"title": f"{tenant.canary}.task"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def given(tenant: TestTenant, where: str, action: str, **asked: Any) -> str:
    """Give a grant as the owner, to the member unless somebody else is named; return its id."""
    subject = {"subject_type": "user", "subject_id": str(tenant.people[Role.MEMBER])}
    answer = await tenant.owner.post(f"{where}/grants", json=subject | {"action": action} | asked)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def explained(client: AsyncClient, action: str, **asked: Any) -> dict[str, Any]:
    answer = await client.get("/access/explain", params={"action": action} | asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def about_member(tenant: TestTenant, action: str, **asked: Any) -> dict[str, Any]:
    return await explained(tenant.owner, action, user_id=str(tenant.people[Role.MEMBER]), **asked)


class TestLines:
    async def test_a_role_decides(self, world: World):
        tenant = await world.tenant()
        project = await project_of(tenant.owner, tenant)
        found = await about_member(tenant, "projects:read", resource_type="project", resource_id=project)
        assert (found["allowed"], found["decided_by"], found["step"], found["role"]) == (True, "role", 7, "member")
        print(found)
