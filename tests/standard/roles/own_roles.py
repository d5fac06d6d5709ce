"""What the tests of a tenant's own roles have in common: making, giving and holding them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from httpx2 import AsyncClient, Response

from tenantry.access import AccessContext
from tenantry.database import DatabaseRole
from tenantry.tenancy import Role
from tenantry.testing import TestTenant, World

STAFF = ("members:read", "members:manage", "roles:read", "roles:manage", "teams:read", "teams:manage")
"""What somebody needs who runs a tenant and is no owner."""


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


async def key_of(tenant: TestTenant, account_id: str, **scope: Any) -> AsyncClient:
    """Return a client that acts with a new key of a service account."""
    body = {"name": tenant.canary, "service_account_id": account_id, **scope}
    answer = await tenant.owner.post("/api-keys", json=body)
    assert answer.status_code == 201, answer.text
    return tenant.world.client({"X-API-Key": answer.json()["secret"]})


async def role_of(tenant: TestTenant, role: Role) -> str:
    return str((await tenant.owner.get(f"/members/{tenant.people[role]}")).json()["role"])


def refused(answer: Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def acting_as(tenant: TestTenant, role: Role, ceiling: frozenset[str] | None = None) -> AccessContext:
    return tenant.context(role, ceiling=ceiling)


async def trail(world: World, tenant: TestTenant, resource_id: UUID) -> list[Any]:
    """Return the lines about one thing, as PostgreSQL tells them."""
    query = "SELECT action, before::text, after::text FROM control.audit_entries WHERE resource_id = $1 ORDER BY id"
    return await by_hand(world, tenant, query, resource_id)


async def by_hand(world: World, tenant: TestTenant, statement: str, *values: Any) -> list[Any]:
    """Send a statement behind the application's back, as its control role in one tenant."""
    connection = await world.assembly.runtime.database.connect(DatabaseRole.CONTROL)
    try:
        async with connection.transaction():
            await connection.execute(f"SET LOCAL app.tenant_id = '{tenant.id}'")
            rows: list[Any] = await connection.fetch(statement, *values)
            return rows
    finally:
        connection.terminate()
