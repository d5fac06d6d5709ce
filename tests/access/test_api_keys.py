"""API keys: making, seeing and deleting them, what a key may do, and how little it helps whoever wants more."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.kernel import new_id
from tenantry.tenancy import Role
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio


async def a_key(tenant: TestTenant, role: Role = Role.MEMBER, **body: Any) -> dict[str, Any]:
    """Make a key for the member with this role."""
    answer = await tenant.as_(role).post("/api-keys", json={"name": f"{tenant.canary} key", **body})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


class TestMaking:
    async def test_the_secret_is_shown_once(self, world: World) -> None:
        tenant = await world.tenant()
        answer = await tenant.member.post("/api-keys", json={"name": f"{tenant.canary} key"})
        made = answer.json()
        assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
        location = answer.headers["location"].removeprefix("/api/v1")
        read, listed = await tenant.member.get(location), await tenant.member.get("/api-keys")
        assert read.json() == {name: value for name, value in made.items() if name != "secret"}
        assert [item["prefix"] for item in listed.json()["items"]] == [made["prefix"]]
        assert made["secret"].startswith(made["prefix"])
        assert not any(made["secret"] in text for text in (read.text, listed.text))
        assert not any(made["secret"].rpartition("_")[2] in text for text in (read.text, listed.text))

    async def test_a_viewer_makes_none(self, world: World) -> None:
        tenant = await world.tenant()
        answer = await tenant.viewer.post("/api-keys", json={"name": tenant.canary})
        assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")

    async def test_a_scope_names_only_what_exists_and_what_its_maker_holds(self, world: World) -> None:
        tenant = await world.tenant()
        unknown = ["projects:read", "projects:paint", "nothing:*"]
        answer = await tenant.member.post("/api-keys", json={"name": tenant.canary, "permissions": unknown})
        assert (answer.status_code, answer.json()["code"]) == (422, "unknown_permission")
        assert [error["pointer"] for error in answer.json()["errors"]] == ["/permissions/1", "/permissions/2"]
        for beyond in ("members:manage", "projects:delete", "projects:*", "api-keys:read"):
            answer = await tenant.member.post("/api-keys", json={"name": tenant.canary, "permissions": [beyond]})
            assert (answer.status_code, answer.json()["code"]) == (403, "beyond_own_permissions"), beyond
            assert beyond.partition(":")[0] in answer.json()["detail"]
        made = await a_key(tenant, permissions=["projects:update:own", "projects:read", "projects:read"])
        assert made["permissions"] == ["projects:read", "projects:update:own"]
        assert (await tenant.member.get("/api-keys")).json()["items"] != []


class TestSeeing:
    async def test_members_see_their_own_keys_and_owners_all(self, world: World) -> None:
        tenant, other = await world.two_tenants()
        own, of_manager = await a_key(tenant), await a_key(tenant, Role.MANAGER)
        foreign = await a_key(other)
        listed = {item["id"] for item in (await tenant.member.get("/api-keys")).json()["items"]}
        assert listed == {own["id"]}
        listed = {item["id"] for item in (await tenant.owner.get("/api-keys")).json()["items"]}
        assert listed == {own["id"], of_manager["id"]}
        answers = [
            await tenant.member.get(f"/api-keys/{of_manager['id']}"),
            await tenant.member.delete(f"/api-keys/{of_manager['id']}"),
            await tenant.owner.get(f"/api-keys/{foreign['id']}"),
            await tenant.owner.delete(f"/api-keys/{foreign['id']}"),
            await tenant.owner.get(f"/api-keys/{new_id()}"),
        ]
        assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "api_key_not_found")}
        assert (await tenant.owner.delete(f"/api-keys/{of_manager['id']}")).status_code == 204
        assert (await tenant.member.delete(f"/api-keys/{own['id']}")).status_code == 204
        assert (await tenant.owner.get("/api-keys")).json()["items"] == []
        assert (await other.member.get(f"/api-keys/{foreign['id']}")).status_code == 200
