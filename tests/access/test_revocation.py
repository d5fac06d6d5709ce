"""What is taken away acts on the next request of the process that took it, and within a second in every other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from httpx2 import AsyncClient
from tests.conftest import suite_settings

from planner.app import application
from tenantry.app import assembled
from tenantry.database import DatabaseUrls
from tenantry.tenancy import Role
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio

ELSEWHERE = 1.0
"""Seconds after which nothing that was taken away may work in another process."""


@pytest.fixture(scope="module")
async def elsewhere(urls: DatabaseUrls) -> AsyncIterator[World]:
    """A second process: an assembly of its own, with its own cache and listener, on the same database."""
    async with assembled(application, suite_settings(), urls) as assembly:
        yield World(assembly)


@dataclass
class Powers:
    """A tenant whose member has one power by what is about to be taken away."""

    tenant: TestTenant
    project: str
    take: Callable[[], Awaitable[Any]]
    headers: dict[str, str]

    def client(self, world: World) -> AsyncClient:
        return world.client(self.headers)

    async def works(self, world: World) -> bool:
        answer = await self.client(world).patch(f"/projects/{self.project}", json={"name": self.tenant.canary})
        assert answer.status_code in (200, 401, 403, 404), answer.text
        return answer.status_code == 200


async def gone(power: Powers, elsewhere: World, taken_at: float) -> None:
    """Ask again and again; no request that begins a second after the taking may work."""
    began = time.monotonic()
    while await power.works(elsewhere):
        assert began - taken_at < ELSEWHERE, "it still works elsewhere"
        await asyncio.sleep(0.01)
        began = time.monotonic()


async def _made(tenant: TestTenant, path: str, body: dict[str, Any]) -> Any:
    answer = await tenant.owner.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def _member(tenant: TestTenant) -> str:
    return str(tenant.people[Role.MEMBER])


async def _by_role(tenant: TestTenant, project: str) -> Callable[[], Awaitable[Any]]:
    path = f"/members/{_member(tenant)}"
    assert (await tenant.owner.patch(path, json={"role": "manager"})).status_code == 200
    return lambda: tenant.owner.patch(path, json={"role": "member"})


async def _by_own_role(tenant: TestTenant, project: str) -> Callable[[], Awaitable[Any]]:
    permissions = ["projects:read", "projects:update"]
    role = await _made(tenant, "/roles", {"name": f"editor {project[-6:]}", "permissions": permissions})
    body = {"role": role["name"]}
    assert (await tenant.owner.patch(f"/members/{_member(tenant)}", json=body)).status_code == 200
    return lambda: tenant.owner.patch(f"/roles/{role['id']}", json={"permissions": ["projects:read"]})


async def _by_team(tenant: TestTenant, project: str) -> Callable[[], Awaitable[Any]]:
    team = await _made(tenant, "/teams", {"name": f"Editors {project[-6:]}", "role": "manager"})
    below = await _made(tenant, "/teams", {"name": f"Below {project[-6:]}", "parent_id": team["id"]})
    await _made(tenant, f"/teams/{below['id']}/members", {"user_id": _member(tenant)})
    return lambda: tenant.owner.patch(f"/teams/{team['id']}", json={"role": None})


async def _by_team_grant(tenant: TestTenant, project: str) -> Callable[[], Awaitable[Any]]:
    team = await _made(tenant, "/teams", {"name": f"Granted {project[-6:]}"})
    await _made(tenant, f"/teams/{team['id']}/members", {"user_id": _member(tenant)})
    grant = {"subject_type": "team", "subject_id": team["id"], "action": "projects:update"}
    await _made(tenant, f"/projects/{project}/grants", grant)
    return lambda: tenant.owner.delete(f"/teams/{team['id']}/members/{_member(tenant)}")


async def _by_grant(tenant: TestTenant, project: str) -> Callable[[], Awaitable[Any]]:
    body = {"subject_type": "user", "subject_id": _member(tenant), "action": "projects:update"}
    grant = await _made(tenant, f"/projects/{project}/grants", body)
    return lambda: tenant.owner.delete(f"/projects/{project}/grants/{grant['id']}")


async def _by_type_grant(tenant: TestTenant, project: str) -> Callable[[], Awaitable[Any]]:
    body = {"subject_type": "user", "subject_id": _member(tenant), "action": "projects:*", "resource_type": "project"}
    grant = await _made(tenant, "/grants", body)
    return lambda: tenant.owner.delete(f"/grants/{grant['id']}")


async def _until_denied(tenant: TestTenant, project: str) -> Callable[[], Awaitable[Any]]:
    await _by_role(tenant, project)
    deny = {"subject_type": "role", "subject_id": "manager", "action": "projects:update", "effect": "deny"}
    return lambda: tenant.owner.post(f"/projects/{project}/grants", json=deny)


async def _by_membership(tenant: TestTenant, project: str) -> Callable[[], Awaitable[Any]]:
    await _by_role(tenant, project)
    return lambda: tenant.owner.delete(f"/members/{_member(tenant)}")


POWERS = {
    "a role": _by_role,
    "a permission of a role of the tenant's own": _by_own_role,
    "the role of a team above": _by_team,
    "a team with a grant": _by_team_grant,
    "a grant on the record": _by_grant,
    "a grant on the whole resource": _by_type_grant,
    "by the first deny of the tenant": _until_denied,
    "the membership": _by_membership,
}


async def _powers(tenant: TestTenant, name: str) -> Powers:
    project = (await _made(tenant, "/projects", {"name": tenant.canary}))["id"]
    take = await POWERS[name](tenant, project)
    headers = {"Authorization": f"Bearer {tenant.tokens[Role.MEMBER]}", "X-Tenant-Id": str(tenant.id)}
    return Powers(tenant, project, take, headers)


@pytest.mark.parametrize("name", POWERS)
async def test_what_is_taken_away_is_gone_at_once_here_and_within_a_second_elsewhere(
    world: World, elsewhere: World, name: str
):
    power = await _powers(await world.tenant(), name)
    assert await power.works(world)
    assert await power.works(elsewhere)
    answer = await power.take()
    taken_at = time.monotonic()
    assert answer.status_code < 300, answer.text
    assert not await power.works(world)
    await gone(power, elsewhere, taken_at)


async def test_a_deleted_key_is_gone_as_fast(world: World, elsewhere: World):
    tenant = await world.tenant()
    project = (await _made(tenant, "/projects", {"name": tenant.canary}))["id"]
    key = await _made(tenant, "/api-keys", {"name": tenant.canary})
    power = Powers(tenant, project, lambda: tenant.owner.delete(f"/api-keys/{key['id']}"), {"X-API-Key": key["secret"]})
    assert await power.works(world)
    assert await power.works(elsewhere)
    assert (await power.take()).status_code == 204
    taken_at = time.monotonic()
    assert not await power.works(world)
    await gone(power, elsewhere, taken_at)
