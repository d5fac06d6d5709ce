"""A service account acts while somebody answers for it: whoever leaves, or falls, keeps nothing by it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from httpx2 import AsyncClient, Response
from tests.people import someone
from tests.standard.roles.own_roles import trail
from tests.standard.service_accounts.test_service_accounts import a_key_of, an_account

from tenantry.tenancy import Role
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio

SUSPENDED = (403, "service_account_suspended")


def refusal(answer: Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def second_owner(tenant: TestTenant) -> AsyncClient:
    """Another owner, who stays."""
    who = await someone(tenant.world)
    await tenant.join(who.id, Role.OWNER)
    return who.client(tenant.id)


async def robot_of(tenant: TestTenant, role: str) -> tuple[str, str]:
    """An account of the first owner's and its key."""
    account = await an_account(tenant, role)
    return account["id"], (await a_key_of(tenant, account))["secret"]


def using(world: World, key: str) -> AsyncClient:
    return world.client({"X-API-Key": key})


async def shown(client: AsyncClient, account_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get(f"/service-accounts/{account_id}")).json()
    return found


class TestSuspension:
    async def test_a_removed_owner_does_not_come_back_by_an_account(self, world: World, elsewhere: World) -> None:
        tenant = await world.tenant()
        account, key = await robot_of(tenant, "owner")
        stays, gone = await second_owner(tenant), tenant.people[Role.OWNER]
        robots = [using(world, key), using(elsewhere, key)]
        assert [(await robot.get("/members")).status_code for robot in robots] == [200, 200]
        assert (await stays.delete(f"/members/{gone}")).status_code == 204
        assert refusal(await robots[0].post("/members", json={"email": "x@people.test", "role": "owner"})) == SUSPENDED
        assert refusal(await robots[0].get("/members")) == SUSPENDED
        read = await shown(stays, account)
        assert (read["sponsor_id"], read["suspended_at"] is None) == (str(gone), False)
        actions = [line["action"] for line in await trail(world, tenant, UUID(account))]
        assert actions[-1] == "service_accounts.suspended"
        assert refusal(await robots[1].get("/members")) == SUSPENDED

    async def test_who_falls_and_rises_again_does_not_revive_it(self, world: World) -> None:
        tenant = await world.tenant()
        account, key = await robot_of(tenant, "owner")
        stays, path = await second_owner(tenant), f"/members/{tenant.people[Role.OWNER]}"
        for role in ("manager", "owner"):
            assert (await stays.patch(path, json={"role": role})).status_code == 200
            assert refusal(await using(world, key).get("/members")) == SUSPENDED
        assert (await shown(stays, account))["suspended_at"] is not None

    async def test_what_the_sponsor_still_holds_goes_on(self, world: World) -> None:
        tenant = await world.tenant()
        account, key = await robot_of(tenant, "viewer")
        stays = await second_owner(tenant)
        await stays.patch(f"/members/{tenant.people[Role.OWNER]}", json={"role": "manager"})
        assert (await using(world, key).get("/projects")).status_code == 200
        assert (await shown(stays, account))["suspended_at"] is None

    async def test_a_role_that_loses_a_permission_suspends_what_needs_it(self, world: World) -> None:
        tenant = await world.tenant()
        manages = ["service-accounts:*", "api-keys:*", "items:*"]
        role = (await tenant.owner.post("/roles", json={"name": "keeper", "permissions": manages})).json()
        await tenant.owner.post("/roles", json={"name": "robots", "permissions": ["items:create"]})
        await tenant.owner.patch(f"/members/{tenant.people[Role.MEMBER]}", json={"role": "keeper"})
        made = await tenant.member.post("/service-accounts", json={"name": tenant.canary, "role": "robots"})
        assert made.status_code == 201, made.text
        secret = (await a_key_of(tenant, made.json()))["secret"]
        robot, item = using(world, secret), {"name": tenant.canary, "price_cents": 1}
        assert (await robot.post("/items", json=item)).status_code == 201
        await tenant.owner.patch(f"/roles/{role['id']}", json={"permissions": manages[:2]})
        assert refusal(await robot.post("/items", json=item)) == SUSPENDED
        assert (await shown(tenant.owner, made.json()["id"]))["suspended_at"] is not None

    async def test_a_closed_account_of_the_sponsor_suspends_it(self, world: World) -> None:
        tenant, who = await world.tenant(), await someone(world)
        await tenant.join(who.id, Role.OWNER)
        account = await an_account(tenant, "viewer")
        taken = await who.client(tenant.id).post(f"/service-accounts/{account['id']}/take-over")
        assert taken.json()["sponsor_id"] == str(who.id)
        robot = using(world, (await a_key_of(tenant, account))["secret"])
        admin = (await someone(world, platform_role="superadmin")).client()
        assert (await robot.get("/projects")).status_code == 200
        for is_active in (False, True):
            changed = await admin.patch(f"/users/{who.id}", json={"is_active": is_active})
            assert changed.status_code == 200
            assert refusal(await robot.get("/projects")) == SUSPENDED

    async def test_an_explanation_says_so(self, world: World) -> None:
        tenant = await world.tenant()
        account, _ = await robot_of(tenant, "owner")
        stays = await second_owner(tenant)
        asked = f"/access/explain?action=members:read&service_account_id={account}"
        assert (await stays.get(asked)).json()["allowed"] is True
        await stays.delete(f"/members/{tenant.people[Role.OWNER]}")
        told = (await stays.get(asked)).json()
        assert (told["allowed"], "is suspended until somebody answers for it" in told["reason"]) == (False, True)


class TestTakingOver:
    async def test_who_may_give_its_role_takes_it_over(self, world: World) -> None:
        tenant = await world.tenant()
        account, key = await robot_of(tenant, "owner")
        stays = await second_owner(tenant)
        await stays.delete(f"/members/{tenant.people[Role.OWNER]}")
        version = (await shown(stays, account))["version"]
        path = f"/service-accounts/{account}/take-over"
        assert refusal(await stays.post(path, headers={"If-Match": '"1"'})) == (412, "stale_version")
        taken = await stays.post(path, headers={"If-Match": f'"{version}"', "Idempotency-Key": "once"})
        assert (taken.status_code, taken.headers["etag"]) == (200, f'"{version + 1}"')
        assert (taken.json()["suspended_at"], taken.json()["sponsor_id"]) == (
            None,
            (await stays.get("/me")).json()["id"],
        )
        assert (await using(world, key).get("/members")).status_code == 200
        again = await stays.post(path, headers={"If-Match": f'"{version}"', "Idempotency-Key": "once"})
        assert (again.status_code, again.text) == (200, taken.text)

    async def test_nobody_else_does(self, world: World) -> None:
        tenant, other = await world.two_tenants()
        account, _ = await robot_of(tenant, "owner")
        manages = {"name": "keeper", "permissions": ["service-accounts:*"]}
        await tenant.owner.post("/roles", json=manages)
        await tenant.owner.patch(f"/members/{tenant.people[Role.MEMBER]}", json={"role": "keeper"})
        path = f"/service-accounts/{account}/take-over"
        assert refusal(await tenant.member.post(path)) == (403, "role_above_own")
        assert refusal(await tenant.viewer.post(path)) == (403, "not_permitted")
        assert refusal(await other.owner.post(path)) == (404, "service_account_not_found")

    async def test_whoever_gives_it_a_role_answers_for_it(self, world: World) -> None:
        tenant = await world.tenant()
        account, key = await robot_of(tenant, "viewer")
        stays = await second_owner(tenant)
        await stays.patch(f"/service-accounts/{account}", json={"role": "member"})
        await stays.delete(f"/members/{tenant.people[Role.OWNER]}")
        assert (await using(world, key).get("/projects")).status_code == 200
