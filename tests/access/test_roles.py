"""Roles of a tenant's own: what they give, who may make and give them, and how soon a change acts."""

from __future__ import annotations

from typing import Any

import pytest
from httpx2 import AsyncClient, Response

from tenantry.kernel import new_id
from tenantry.tenancy import Role
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio


async def made(tenant: TestTenant, name: str, *permissions: str, **values: Any) -> dict[str, Any]:
    """Make a role as the owner."""
    body = {"name": name, "description": tenant.canary, "permissions": list(permissions), **values}
    answer = await tenant.owner.post("/roles", json=body)
    assert answer.status_code == 201, answer.text
    role: dict[str, Any] = answer.json()
    return role


async def given(tenant: TestTenant, role: Role, name: str) -> AsyncClient:
    """Give the member with a built-in role another one; return their client."""
    answer = await tenant.owner.patch(f"/members/{tenant.people[role]}", json={"role": name})
    assert answer.status_code == 200, answer.text
    assert answer.json()["role"] == name
    return tenant.as_(role)


def refused(answer: Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


class TestHolding:
    async def test_a_member_may_do_what_the_role_gives_and_nothing_else(self, world: World) -> None:
        tenant = await world.tenant()
        await made(tenant, "auditor", "members:read", "roles:read")
        auditor = await given(tenant, Role.MEMBER, "auditor")
        assert (await auditor.get("/members")).status_code == 200
        assert (await auditor.get("/roles")).status_code == 200
        assert refused(await auditor.post("/roles", json={"name": "x"})) == (403, "not_permitted")
        assert refused(await auditor.get("/teams")) == (403, "not_permitted")
        assert refused(await auditor.post("/projects", json={"name": "x"})) == (403, "not_permitted")
