"""Service accounts: members that are no person, who makes them, and what their keys are given."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tenantry.kernel import new_id
from tenantry.tenancy import Role
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio


async def an_account(tenant: TestTenant, role: str = "member", name: str = "robot") -> dict[str, Any]:
    """Make a service account."""
    answer = await tenant.owner.post("/service-accounts", json={"name": f"{tenant.canary} {name}", "role": role})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def a_key_of(tenant: TestTenant, account: dict[str, Any], **body: Any) -> dict[str, Any]:
    """Make a key of a service account."""
    json = {"name": f"{tenant.canary} key", "service_account_id": account["id"], **body}
    answer = await tenant.owner.post("/api-keys", json=json)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


class TestManaging:
    async def test_one_is_made_read_changed_and_deleted(self, world: World) -> None:
        tenant = await world.tenant()
        name = f"{tenant.canary} robot"
        answer = await tenant.owner.post("/service-accounts", json={"name": name, "role": "member"})
        made, path = answer.json(), answer.headers["location"].removeprefix("/api/v1")
        assert (answer.status_code, answer.headers["etag"]) == (201, '"1"')
        person = str(tenant.people[Role.OWNER])
        assert {"name": name, "role": "member", "version": 1, "created_by": person}.items() <= made.items()
        read = await tenant.owner.get(path)
        assert (read.json(), read.headers["etag"]) == (made, '"1"')
        changed = await tenant.owner.patch(path, json={"role": "viewer"}, headers={"If-Match": '"1"'})
        assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
        assert {"name": name, "role": "viewer", "version": 2}.items() <= changed.json().items()
        stale = await tenant.owner.patch(path, json={"role": "owner"}, headers={"If-Match": '"1"'})
        assert (stale.status_code, stale.json()["code"]) == (412, "stale_version")
        same = await tenant.owner.patch(path, json={"role": "viewer", "name": name})
        assert same.json()["version"] == 2
        assert (await tenant.owner.delete(path)).status_code == 204
        assert (await tenant.owner.get(path)).status_code == 404
        assert (await tenant.owner.delete(path)).json()["code"] == "service_account_not_found"

    async def test_the_list_is_filtered_sorted_and_searched(self, world: World) -> None:
        tenant, other = await world.two_tenants()
        for name, role in (("b", "viewer"), ("a", "member"), ("c", "member")):
            await an_account(tenant, role, name)
        await an_account(other, "member", "d")

        async def names(**query: str) -> list[str]:
            answer = await tenant.owner.get("/service-accounts", params=query)
            assert answer.status_code == 200, answer.text
            return [item["name"].rpartition(" ")[2] for item in answer.json()["items"]]

        assert await names() == ["a", "b", "c"]
        assert await names(sort="-name") == ["c", "b", "a"]
        assert await names(**{"filter[role]": "viewer"}) == ["b"]
        assert await names(search=f"{tenant.canary} c") == ["c"]

    @pytest.mark.parametrize("role", [Role.MANAGER, Role.MEMBER, Role.VIEWER])
    async def test_only_owners_reach_them(self, world: World, role: Role) -> None:
        tenant = await world.tenant()
        account = await an_account(tenant)
        client, path = tenant.as_(role), f"/service-accounts/{account['id']}"
        body = {"name": tenant.canary, "role": "viewer"}
        answers = [
            await client.get("/service-accounts"),
            await client.post("/service-accounts", json=body),
            await client.get(path),
            await client.patch(path, json=body),
            await client.delete(path),
            await client.delete(f"/service-accounts/{new_id()}"),
            await client.post("/api-keys", json={"name": tenant.canary, "service_account_id": account["id"]}),
            await client.post("/api-keys", json={"name": tenant.canary, "service_account_id": str(new_id())}),
        ]
        assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(403, "not_permitted")}
        assert (await tenant.owner.get(path)).json() == account

    async def test_an_owner_of_one_tenant_reaches_none_of_another(self, world: World) -> None:
        tenant, other = await world.two_tenants()
        foreign = await an_account(other)
        answers = [
            answer
            for account_id in (foreign["id"], str(new_id()))
            for answer in (
                await tenant.owner.get(f"/service-accounts/{account_id}"),
                await tenant.owner.patch(f"/service-accounts/{account_id}", json={"role": "owner"}),
                await tenant.owner.delete(f"/service-accounts/{account_id}"),
            )
        ]
        assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {
            (404, "service_account_not_found")
        }
        for account_id in (foreign["id"], str(new_id())):
            answer = await tenant.owner.post("/api-keys", json={"name": "key", "service_account_id": account_id})
            assert (answer.status_code, answer.json()["code"]) == (422, "unknown_service_account")
            assert [error["pointer"] for error in answer.json()["errors"]] == ["/service_account_id"]
        assert (await other.owner.get(f"/service-accounts/{foreign['id']}")).json() == foreign

    async def test_a_name_is_given_once_in_a_tenant(self, world: World) -> None:
        tenant, other = await world.two_tenants()
        body = {"name": "robot", "role": "member"}
        answers = await asyncio.gather(*(tenant.owner.post("/service-accounts", json=body) for _ in range(5)))
        assert sorted(answer.status_code for answer in answers) == [201] + [409] * 4
        assert {a.json()["code"] for a in answers if a.status_code == 409} == {"service_account_name_taken"}
        second = await an_account(tenant)
        answer = await tenant.owner.patch(f"/service-accounts/{second['id']}", json={"name": "robot"})
        assert (answer.status_code, answer.json()["code"]) == (409, "service_account_name_taken")
        assert (await other.owner.post("/service-accounts", json=body)).status_code == 201

    async def test_a_role_that_is_none_is_refused(self, world: World) -> None:
        tenant = await world.tenant()
        account = await an_account(tenant)
        for answer in (
            await tenant.owner.post("/service-accounts", json={"name": "x", "role": "emperor"}),
            await tenant.owner.patch(f"/service-accounts/{account['id']}", json={"role": "emperor"}),
        ):
            assert (answer.status_code, answer.json()["code"]) == (422, "unknown_role")
            assert [error["pointer"] for error in answer.json()["errors"]] == ["/role"]
        for body in ({"role": None}, {"name": ""}, {"version": 7}, {"role": "x" * 51}):
            answer = await tenant.owner.patch(f"/service-accounts/{account['id']}", json=body)
            assert answer.status_code == 422, body


class TestKeysOfAccounts:
    async def test_they_act_for_the_account_and_go_with_it(self, world: World) -> None:
        tenant = await world.tenant()
        account, other = await an_account(tenant), await an_account(tenant, name="other")
        key, kept = await a_key_of(tenant, account, permissions=["projects:read"]), await a_key_of(tenant, other)
        assert (key["user_id"], key["service_account_id"]) == (None, account["id"])
        listed = await tenant.owner.get("/api-keys", params={"filter[service_account_id]": account["id"]})
        assert [item["id"] for item in listed.json()["items"]] == [key["id"]]
        assert (await tenant.member.get("/api-keys")).json()["items"] == []
        assert (await tenant.owner.delete(f"/service-accounts/{account['id']}")).status_code == 204
        assert (await tenant.owner.get(f"/api-keys/{key['id']}")).status_code == 404
        assert (await tenant.owner.get(f"/api-keys/{kept['id']}")).status_code == 200

    async def test_they_stay_when_the_person_who_made_them_leaves(self, world: World) -> None:
        tenant = await world.tenant()
        second = tenant.people[Role.MANAGER]
        assert (await tenant.owner.patch(f"/members/{second}", json={"role": "owner"})).status_code == 200
        account = await an_account(tenant)
        made = await tenant.manager.post("/api-keys", json={"name": "key", "service_account_id": account["id"]})
        assert made.status_code == 201
        assert (await tenant.owner.delete(f"/members/{second}")).status_code == 204
        assert (await tenant.owner.get(f"/api-keys/{made.json()['id']}")).status_code == 200


class TestRolesOfATenantsOwn:
    async def test_whoever_manages_accounts_gives_them_no_more_than_they_hold(self, world: World) -> None:
        tenant = await world.tenant()
        held = ["service-accounts:read", "service-accounts:manage", "api-keys:create", "projects:read"]
        for name, permissions in (("keeper", held), ("reader", ["projects:read"]), ("writer", ["projects:update"])):
            body = {"name": name, "permissions": permissions}
            assert (await tenant.owner.post("/roles", json=body)).status_code == 201
        await tenant.owner.patch(f"/members/{tenant.people[Role.MEMBER]}", json={"role": "keeper"})
        keeper, above = tenant.member, await an_account(tenant, "owner", "above")
        made = await keeper.post("/service-accounts", json={"name": "robot", "role": "reader"})
        assert made.status_code == 201, made.text
        path, name = f"/service-accounts/{made.json()['id']}", tenant.canary
        key = {"name": name, "service_account_id": made.json()["id"]}
        refused = [
            await keeper.post("/service-accounts", json={"name": "x", "role": "owner"}),
            await keeper.post("/service-accounts", json={"name": "x", "role": "viewer"}),
            await keeper.post("/service-accounts", json={"name": "x", "role": "writer"}),
            await keeper.patch(path, json={"role": "writer"}),
            await keeper.patch(f"/service-accounts/{above['id']}", json={"role": "reader"}),
            await keeper.patch(f"/service-accounts/{above['id']}", json={"name": "renamed"}),
            await keeper.delete(f"/service-accounts/{above['id']}"),
            await keeper.post("/api-keys", json={"name": name, "service_account_id": above["id"]}),
            await keeper.post("/api-keys", json=key | {"role": "writer"}),
        ]
        assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(403, "role_above_own")}
        beyond = await keeper.post("/api-keys", json=key | {"permissions": ["projects:update"]})
        assert (beyond.status_code, beyond.json()["code"]) == (403, "beyond_own_permissions")
        answer = await keeper.post("/api-keys", json=key)
        assert answer.status_code == 201, answer.text
        robot = world.client({"X-API-Key": answer.json()["secret"]})
        assert (await robot.get("/projects")).status_code == 200
        assert (await robot.post("/projects", json={"name": name})).status_code == 403

    async def test_whoever_manages_accounts_sees_and_deletes_their_keys_and_no_others(self, world: World) -> None:
        tenant = await world.tenant()
        body = {"name": "keeper", "permissions": ["service-accounts:manage"]}
        assert (await tenant.owner.post("/roles", json=body)).status_code == 201
        key = await a_key_of(tenant, await an_account(tenant))
        own = (await tenant.manager.post("/api-keys", json={"name": tenant.canary})).json()
        await tenant.owner.patch(f"/members/{tenant.people[Role.MEMBER]}", json={"role": "keeper"})
        listed = (await tenant.member.get("/api-keys")).json()["items"]
        assert [item["id"] for item in listed] == [key["id"]]
        assert (await tenant.member.delete(f"/api-keys/{own['id']}")).status_code == 404
        assert (await tenant.member.delete(f"/api-keys/{key['id']}")).status_code == 204

    async def test_a_role_that_an_account_holds_follows_its_changes_and_its_name(self, world: World) -> None:
        tenant = await world.tenant()
        role = (await tenant.owner.post("/roles", json={"name": "lister", "permissions": ["members:read"]})).json()
        account = await an_account(tenant, "lister")
        robot = world.client({"X-API-Key": (await a_key_of(tenant, account))["secret"]})
        limited = world.client({"X-API-Key": (await a_key_of(tenant, account, role="lister"))["secret"]})

        async def answers(path: str) -> list[int]:
            return [(await client.get(path)).status_code for client in (robot, limited)]

        assert (await answers("/members"), await answers("/teams")) == ([200, 200], [403, 403])
        await tenant.owner.patch(f"/roles/{role['id']}", json={"permissions": ["teams:read"]})
        assert (await answers("/members"), await answers("/teams")) == ([403, 403], [200, 200])
        await tenant.owner.patch(f"/roles/{role['id']}", json={"name": "renamed"})
        assert await answers("/teams") == [200, 200]
        assert (await tenant.owner.get(f"/service-accounts/{account['id']}")).json()["role"] == "renamed"
        assert (await tenant.owner.delete(f"/roles/{role['id']}")).status_code == 409

    async def test_renaming_a_role_and_using_it_at_the_same_time_wait_for_one_another(self, world: World) -> None:
        tenant = await world.tenant()
        role = (await tenant.owner.post("/roles", json={"name": "r", "permissions": ["projects:read"]})).json()
        accounts = [await an_account(tenant, "r", f"robot {number}") for number in range(4)]

        async def rename(number: int) -> int:
            answer = await tenant.owner.patch(f"/roles/{role['id']}", json={"name": f"r{number}"})
            return answer.status_code

        async def use(number: int) -> int:
            account = accounts[number % len(accounts)]
            if number % 2:
                path = f"/service-accounts/{account['id']}"
                return (await tenant.owner.patch(path, json={"name": f"robot {new_id()}"})).status_code
            body = {"name": "key", "service_account_id": account["id"]}
            return (await tenant.owner.post("/api-keys", json=body)).status_code

        calls = [call for number in range(12) for call in (rename(number), use(number))]
        assert set(await asyncio.gather(*calls)) == {200, 201}
