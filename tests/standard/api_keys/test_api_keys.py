"""API keys: making, seeing and deleting them, and what is stored and told of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import structlog
from httpx2 import Response
from tests.acceptance.conftest import url_of_admin

from tenantry.access.keys.secrets import secrets_of
from tenantry.database import DatabaseUrls
from tenantry.kernel import new_id
from tenantry.observability import redact_text
from tenantry.resources import Answer
from tenantry.standard.api_keys.schemas import ApiKeyCreated
from tenantry.standard.api_keys.service import MAX_KEYS
from tenantry.tenancy import Role
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def admin(urls: DatabaseUrls, admin_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The superuser, for looking from outside."""
    connection = await asyncpg.connect(url_of_admin(urls, admin_url))
    try:
        yield connection
    finally:
        connection.terminate()


async def a_key(tenant: TestTenant, maker: Role = Role.MEMBER, **body: Any) -> dict[str, Any]:
    """Make a key for the member with this role."""
    answer = await tenant.as_(maker).post("/api-keys", json={"name": f"{tenant.canary} key", **body})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def in_days(days: float) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


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
        assert not any(made["secret"].rpartition("_")[2] in text for text in (read.text, listed.text))

    async def test_a_key_is_ones_own_and_says_so(self, world: World) -> None:
        tenant = await world.tenant()
        made = await a_key(tenant, expires_at=in_days(30))
        person = str(tenant.people[Role.MEMBER])
        assert {"user_id": person, "created_by": person, "service_account_id": None}.items() <= made.items()
        assert made["last_used_at"] is None
        presented = secrets_of(made["secret"])
        assert presented is not None
        assert (presented.tenant_id, str(presented.key_id)) == (tenant.id, made["id"])

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
        assert (await a_key(tenant, Role.OWNER, permissions=["projects:*"]))["permissions"] == ["projects:*"]

    async def test_a_role_can_be_the_scope_if_its_maker_could_give_it(self, world: World) -> None:
        tenant = await world.tenant()
        assert (await a_key(tenant, role="viewer"))["role"] == "viewer"
        answer = await tenant.member.post("/api-keys", json={"name": tenant.canary, "role": "owner"})
        assert (answer.status_code, answer.json()["code"]) == (403, "role_above_own")
        answer = await tenant.member.post("/api-keys", json={"name": tenant.canary, "role": "emperor"})
        assert (answer.status_code, answer.json()["code"]) == (422, "unknown_role")
        assert [error["pointer"] for error in answer.json()["errors"]] == ["/role"]

    @pytest.mark.parametrize(
        "body",
        [
            {"permissions": ["projects:read"], "role": "viewer"},
            {"permissions": []},
            {"permissions": "projects:read"},
            {"permissions": ["projects:read"] * 201},
            {"permissions": [None]},
            {"name": ""},
            {"name": "x" * 201},
            {"expires_at": "2031-12-24T18:00:00"},
            {"user_id": "018f0000-0000-7000-8000-000000000000"},
            {"secret": "tnt_mine"},
            {"tenant_id": "018f0000-0000-7000-8000-000000000000"},
        ],
    )
    async def test_a_body_that_says_something_else_is_422(self, world: World, body: dict[str, Any]) -> None:
        tenant = await world.tenant()
        answer = await tenant.owner.post("/api-keys", json={"name": tenant.canary, **body})
        assert answer.status_code == 422, answer.text
        assert (await tenant.owner.get("/api-keys")).json()["items"] == []

    @pytest.mark.parametrize("days", [-1, -0.001, 367, 20_000])
    async def test_a_key_expires_in_the_future_and_within_a_year(self, world: World, days: float) -> None:
        tenant = await world.tenant()
        answer = await tenant.member.post("/api-keys", json={"name": tenant.canary, "expires_at": in_days(days)})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_expiry")
        assert [error["pointer"] for error in answer.json()["errors"]] == ["/expires_at"]

    async def test_of_any_number_of_attempts_at_once_fifty_make_a_key(self, world: World) -> None:
        tenant = await world.tenant()
        body = {"name": tenant.canary}
        answers = await asyncio.gather(*(tenant.member.post("/api-keys", json=body) for _ in range(MAX_KEYS + 5)))
        assert sorted(answer.status_code for answer in answers) == [201] * MAX_KEYS + [409] * 5
        refused = next(answer for answer in answers if answer.status_code == 409)
        assert refused.json()["code"] == "too_many_keys"
        assert (await tenant.manager.post("/api-keys", json=body)).status_code == 201
        made = next(answer for answer in answers if answer.status_code == 201).json()
        assert (await tenant.member.delete(f"/api-keys/{made['id']}")).status_code == 204
        assert (await tenant.member.post("/api-keys", json=body)).status_code == 201


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
        told = [(answer.json()["detail"], answer.request.url.path.rpartition("/")[2]) for answer in answers]
        assert {detail.replace(asked, "…") for detail, asked in told} == {"Api key … not found."}
        assert (await other.member.get(f"/api-keys/{foreign['id']}")).status_code == 200

    async def test_a_viewer_sees_none_and_is_told_so(self, world: World) -> None:
        tenant = await world.tenant()
        made = await a_key(tenant)
        assert (await tenant.viewer.get("/api-keys")).status_code == 403
        assert (await tenant.viewer.get(f"/api-keys/{made['id']}")).status_code == 403
        assert (await tenant.viewer.delete(f"/api-keys/{made['id']}")).status_code == 403

    async def test_a_person_of_two_tenants_sees_in_each_the_keys_of_that_one(self, world: World) -> None:
        first, second = await world.tenant(), await world.tenant()  # the same people in both
        made = await a_key(first)
        assert (await second.member.get("/api-keys")).json()["items"] == []
        assert (await second.member.get(f"/api-keys/{made['id']}")).status_code == 404
        assert (await second.member.delete(f"/api-keys/{made['id']}")).status_code == 404

    async def test_the_list_is_filtered_sorted_searched_and_paged(self, world: World) -> None:
        tenant = await world.tenant()
        for name in ("b", "a", "c"):
            await a_key(tenant, name=f"{tenant.canary} {name}")
        await a_key(tenant, Role.MANAGER, name=f"{tenant.canary} d")

        async def names(**query: str) -> list[str]:
            answer = await tenant.owner.get("/api-keys", params=query)
            assert answer.status_code == 200, answer.text
            return [item["name"].rpartition(" ")[2] for item in answer.json()["items"]]

        assert await names() == ["d", "c", "a", "b"]
        assert await names(sort="name") == ["a", "b", "c", "d"]
        assert await names(**{"filter[user_id]": str(tenant.people[Role.MANAGER])}) == ["d"]
        assert await names(search=f"{tenant.canary} a") == ["a"]
        first = (await tenant.owner.get("/api-keys", params={"sort": "name", "page_size": "3"})).json()
        assert await names(sort="name", page_size="3", cursor=first["page"]["next_cursor"]) == ["d"]
        for query in ("filter[secret_hash]=x", "sort=secret_hash", "fields=secret_hash", "filter[name]=x"):
            assert (await tenant.owner.get(f"/api-keys?{query}")).status_code == 400, query


class TestDeleting:
    async def test_members_delete_their_own_and_owners_any(self, world: World) -> None:
        tenant = await world.tenant()
        own, of_manager = await a_key(tenant), await a_key(tenant, Role.MANAGER)
        assert (await tenant.member.delete(f"/api-keys/{own['id']}")).status_code == 204
        assert (await tenant.owner.delete(f"/api-keys/{of_manager['id']}")).status_code == 204
        assert (await tenant.owner.delete(f"/api-keys/{of_manager['id']}")).status_code == 404
        assert (await tenant.owner.get("/api-keys")).json()["items"] == []

    async def test_of_ten_who_delete_one_key_one_does(self, world: World, admin: asyncpg.Connection) -> None:
        tenant = await world.tenant()
        made = await a_key(tenant)
        answers = await asyncio.gather(*(tenant.owner.delete(f"/api-keys/{made['id']}") for _ in range(10)))
        assert sorted(answer.status_code for answer in answers) == [204] + [404] * 9
        assert [line["action"] for line in await trail(admin, tenant)] == ["api_keys.created", "api_keys.deleted"]

    async def test_a_key_goes_with_its_membership(self, world: World) -> None:
        tenant = await world.tenant()
        made = await a_key(tenant, Role.MANAGER)
        assert (await tenant.owner.delete(f"/members/{tenant.people[Role.MANAGER]}")).status_code == 204
        assert (await tenant.owner.get(f"/api-keys/{made['id']}")).status_code == 404


class TestRepeating:
    """A request that is sent again with its `Idempotency-Key` makes no second key, and tells no secret."""

    async def test_the_secret_is_told_once_however_many_ask_at_once(
        self, world: World, admin: asyncpg.Connection
    ) -> None:
        tenant = await world.tenant()
        answers = await asyncio.gather(*(_repeated(tenant, Role.MEMBER, "k") for _ in range(5)))
        told = [answer.json()["secret"] for answer in answers]
        assert [answer.status_code for answer in answers] == [201] * 5
        assert told.count(None) == 4
        secret = next(one for one in told if one is not None)
        assert (await world.client({"X-API-Key": secret}).get("/projects")).status_code == 200
        assert len((await tenant.member.get("/api-keys")).json()["items"]) == 1
        stored = await admin.fetchval("SELECT body FROM control.idempotency_keys WHERE tenant_id = $1", tenant.id)
        assert json.loads(stored)["secret"] is None
        assert secret.rpartition("_")[2] not in stored

    async def test_the_rank_is_asked_again(self, world: World) -> None:
        """Of the account that the key acts for: it has become more than the maker of the key."""
        tenant = await world.tenant()
        permissions = ["service-accounts:read", "service-accounts:manage", "api-keys:create"]
        await tenant.owner.post("/roles", json={"name": "clerk", "permissions": permissions})
        await tenant.owner.patch(f"/members/{tenant.people[Role.MEMBER]}", json={"role": "clerk"})
        made = await tenant.owner.post("/service-accounts", json={"name": tenant.canary, "role": "clerk"})
        account = made.json()["id"]
        assert (await _repeated(tenant, Role.MEMBER, "k", service_account_id=account)).status_code == 201
        changed = await tenant.owner.patch(f"/service-accounts/{account}", json={"role": "owner"})
        assert changed.status_code == 200, changed.text
        again = await _repeated(tenant, Role.MEMBER, "k", service_account_id=account)
        assert (again.status_code, again.json()["code"]) == (403, "role_above_own")

    async def test_no_key_repeats_what_its_person_asked(self, world: World) -> None:
        tenant = await world.tenant()
        secret = (await _repeated(tenant, Role.MEMBER, "k")).json()["secret"]
        client = world.client({"X-API-Key": secret, "Idempotency-Key": "k"})
        again = await client.post("/api-keys", json={"name": f"{tenant.canary} key"})
        assert (again.status_code, again.json()["code"]) == (403, "keys_need_a_person")


async def _repeated(tenant: TestTenant, maker: Role, key: str, **body: Any) -> Response:
    sent = {"name": f"{tenant.canary} key", **body}
    return await tenant.as_(maker).post("/api-keys", json=sent, headers={"Idempotency-Key": key})


class TestSecrecy:
    async def test_the_trail_says_what_was_made_and_nothing_of_its_secret(
        self, world: World, admin: asyncpg.Connection
    ) -> None:
        tenant = await world.tenant()
        made = await a_key(tenant, permissions=["projects:read"], expires_at=in_days(1))
        await tenant.owner.delete(f"/api-keys/{made['id']}")
        created, deleted = await trail(admin, tenant)
        assert (created["action"], deleted["action"]) == ("api_keys.created", "api_keys.deleted")
        assert (created["actor_id"], deleted["actor_id"]) == (tenant.people[Role.MEMBER], tenant.people[Role.OWNER])
        assert '"projects:read"' in created["after"]
        assert made["secret"][20:] not in created["after"] + deleted["before"]

    async def test_a_dump_of_the_control_plane_holds_no_key(self, world: World, admin: asyncpg.Connection) -> None:
        tenant = await world.tenant()
        made = await a_key(tenant)
        tables = await admin.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'control'")
        rows = [row for table in tables for row in await admin.fetch(f"SELECT t::text FROM control.{table[0]} t")]
        content = "\n".join(row[0] for row in rows)
        secret = made["secret"].rpartition("_")[2]
        assert made["prefix"] in content
        assert not any(shape in content for shape in (secret, secret.encode().hex(), made["secret"][:48]))

    async def test_no_log_and_no_repr_shows_a_key(self, world: World) -> None:
        tenant = await world.tenant()
        with structlog.testing.capture_logs() as lines:
            made = await a_key(tenant)
        assert made["secret"] not in str(lines)
        presented = secrets_of(made["secret"])
        assert presented is not None
        assert presented.secret_hash.hex() not in repr(presented)
        assert str(presented.secret_hash) not in repr(presented)
        assert made["secret"] not in repr(Answer(201, json.dumps(made).encode()))
        assert made["secret"] not in repr(ApiKeyCreated.model_validate(made))
        for text in (f"refused {made['secret']}", f"x-api-key: {made['secret']}", f"token={made['secret']}"):
            assert made["secret"][20:] not in redact_text(text)
        assert redact_text(f"refused {made['prefix']}") == f"refused {made['prefix']}"


async def trail(admin: asyncpg.Connection, tenant: TestTenant) -> list[asyncpg.Record]:
    """The lines about keys and service accounts, in order."""
    return await admin.fetch(  # type: ignore[no-any-return]
        "SELECT action, actor_id, before::text, after::text FROM control.audit_entries WHERE tenant_id = $1"
        " AND resource_type IN ('api_key', 'service_account') ORDER BY id",
        tenant.id,
    )
