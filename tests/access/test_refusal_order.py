"""What a refusal says first: 404, then 403, then 412, then 409. Nobody learns a version, or how many there are, of what
they may not touch."""

from __future__ import annotations

from typing import Any

import pytest
from httpx2 import AsyncClient, Response

from tenantry.kernel import new_id
from tenantry.standard.roles import service as roles
from tenantry.standard.teams import service as teams
from tenantry.tenancy import Role
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio

STALE = {"If-Match": '"7"'}
CLERK = [
    f"{resource}:{verb}"
    for resource in ("members", "teams", "roles", "service-accounts")
    for verb in ("read", "manage")
]


async def made(client: AsyncClient, path: str, **body: Any) -> str:
    answer = await client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def clerk_of(tenant: TestTenant) -> AsyncClient:
    """A member who manages people, and holds nothing besides."""
    await made(tenant.owner, "/roles", name="clerk", permissions=CLERK)
    answer = await tenant.owner.patch(f"/members/{tenant.people[Role.MEMBER]}", json={"role": "clerk"})
    assert answer.status_code == 200, answer.text
    return tenant.member


def refused(answer: Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


class TestForbiddenComesBeforeStale:
    async def test_for_a_role(self, world: World) -> None:
        tenant = await world.tenant()
        clerk = await clerk_of(tenant)
        path = f"/roles/{await made(tenant.owner, '/roles', name='strong', permissions=['items:*'])}"
        changed = await clerk.patch(path, json={"description": "x"}, headers=STALE)
        deleted = await clerk.delete(path, headers=STALE)
        assert [refused(one) for one in (changed, deleted)] == [(403, "beyond_own_permissions")] * 2
        assert refused(await tenant.owner.patch(path, json={}, headers=STALE))[0] == 412

    async def test_for_a_team(self, world: World) -> None:
        tenant = await world.tenant()
        clerk = await clerk_of(tenant)
        path = f"/teams/{await made(tenant.owner, '/teams', name=tenant.canary, role='owner')}"
        changed = await clerk.patch(path, json={"role": None}, headers=STALE)
        deleted = await clerk.delete(path, headers=STALE)
        assert [refused(one) for one in (changed, deleted)] == [(403, "role_above_own")] * 2
        assert refused(await tenant.owner.patch(path, json={}, headers=STALE))[0] == 412

    async def test_for_the_role_of_a_service_account(self, world: World) -> None:
        tenant = await world.tenant()
        clerk = await clerk_of(tenant)
        path = f"/service-accounts/{await made(clerk, '/service-accounts', name=tenant.canary, role='clerk')}"
        assert refused(await clerk.patch(path, json={"role": "owner"}, headers=STALE)) == (403, "role_above_own")
        assert refused(await clerk.patch(path, json={"name": "x"}, headers=STALE))[0] == 412
        assert refused(await clerk.delete(path, headers=STALE))[0] == 412
        assert (await clerk.delete(path, headers={"If-Match": '"1"'})).status_code == 204


class TestForbiddenComesBeforeConflict:
    async def test_for_a_role_whose_name_is_taken_and_where_there_are_too_many(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tenant = await world.tenant()
        clerk = await clerk_of(tenant)
        asked = {"name": "clerk", "permissions": ["items:*"]}
        assert refused(await clerk.post("/roles", json=asked)) == (403, "beyond_own_permissions")
        monkeypatch.setattr(roles, "MAX_ROLES", 0)
        assert refused(await clerk.post("/roles", json=asked)) == (403, "beyond_own_permissions")
        assert refused(await tenant.owner.post("/roles", json=asked)) == (409, "too_many_roles")

    async def test_for_a_team_in_which_others_stand_and_where_there_are_too_many(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tenant = await world.tenant()
        clerk = await clerk_of(tenant)
        team = await made(tenant.owner, "/teams", name=tenant.canary, role="owner")
        await made(tenant.owner, "/teams", name=f"{tenant.canary} below", parent_id=team)
        assert refused(await clerk.delete(f"/teams/{team}")) == (403, "role_above_own")
        assert refused(await tenant.owner.delete(f"/teams/{team}")) == (409, "team_has_teams")
        monkeypatch.setattr(teams, "MAX_TEAMS", 0)
        asked = {"name": new_id().hex, "role": "owner"}
        assert refused(await clerk.post("/teams", json=asked)) == (403, "role_above_own")
        assert refused(await tenant.owner.post("/teams", json=asked)) == (409, "too_many_teams")


class TestNotFoundComesBeforeForbidden:
    async def test_for_a_restricted_field_of_a_project_that_is_not_seen(self, world: World) -> None:
        tenant, other = await world.two_tenants()
        foreign = await made(other.owner, "/projects", name=other.canary)
        own = await made(tenant.owner, "/projects", name=tenant.canary)
        for verb, body in (("PATCH", {}), ("PUT", {"name": "x"})):
            sent = {**body, "budget_cents": 5}
            assert (await tenant.viewer.request(verb, f"/projects/{foreign}", json=sent)).status_code == 404
            answer = await tenant.viewer.request(verb, f"/projects/{own}", json=sent)
            assert refused(answer) == (403, "field_not_permitted")

    async def test_for_a_new_owner_who_is_none_of_the_tenant(self, world: World) -> None:
        tenant, other = await world.two_tenants()
        foreign = await made(other.owner, "/projects", name=other.canary)
        own = await made(tenant.owner, "/projects", name=tenant.canary)
        nobody = {"owner_id": str(new_id())}
        assert (await tenant.owner.post(f"/projects/{foreign}/transfer", json=nobody)).status_code == 404
        assert (await tenant.viewer.post(f"/projects/{own}/transfer", json=nobody)).status_code == 403
        assert refused(await tenant.owner.post(f"/projects/{own}/transfer", json=nobody))[0] == 422
