"""The trail of denials: every 403 of somebody known leaves a line, repetitions are counted, and no answer depends on it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from tenantry.database import DatabaseRole, DatabaseUrls
from tenantry.kernel import new_id
from tenantry.tenancy import Role
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Line:
    """A line of a trail, with what the tests look at."""

    tenant_id: UUID | None
    actor_id: UUID
    resource_type: str
    resource_id: UUID | None
    request_id: str | None
    after: dict[str, Any]

    @property
    def count(self) -> int:
        return int(self.after["count"])


@pytest.fixture
async def admin(urls: DatabaseUrls, admin_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The superuser: sees the trails of all tenants, past row security."""
    name = urls.of(DatabaseRole.APP).partition("@/")[2].partition("?")[0]
    connection = await asyncpg.connect(admin_url.replace("@/postgres?", f"@/{name}?"))
    yield connection
    await connection.close()


async def denials_of(admin: asyncpg.Connection, *, tenant: TestTenant | None, actor: UUID | None = None) -> list[Line]:
    """The denials in a tenant's trail, or (of one actor) those that concern no tenant; oldest first."""
    plane, owner = ("pool", "tenant_id = $1") if tenant else ("control", "tenant_id IS NULL AND actor_id = $1")
    rows = await admin.fetch(
        f"SELECT tenant_id, actor_id, resource_type, resource_id, request_id, after FROM {plane}.audit_entries "
        f"WHERE {owner} AND action = 'access.denied' ORDER BY id",
        tenant.id if tenant else actor,
    )
    return [Line(*tuple(row)[:-1], json.loads(row["after"])) for row in rows]


async def test_a_refused_write_leaves_one_line_that_says_everything(world: World, admin: asyncpg.Connection) -> None:
    tenant, other = await world.two_tenants()
    made = await tenant.owner.post("/projects", json={"name": tenant.canary})
    project = UUID(made.json()["id"])
    answer = await tenant.viewer.patch(f"/projects/{project}", json={"name": "taken"})
    assert answer.status_code == 403
    [line] = await denials_of(admin, tenant=tenant)
    assert line == Line(
        tenant_id=tenant.id,
        actor_id=tenant.people[Role.VIEWER],
        resource_type="project",
        resource_id=project,
        request_id=answer.headers["x-request-id"],
        after={
            "permission": "projects:update",
            "code": "not_permitted",
            "method": "PATCH",
            "route": "projects_update",
            "count": 1,
        },
    )
    assert await denials_of(admin, tenant=other) == []
