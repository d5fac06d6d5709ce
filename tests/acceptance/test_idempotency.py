"""`Idempotency-Key`: a POST that is repeated happens once, and everybody who repeats it gets the same answer."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from httpx2 import AsyncClient, Response
from tests.acceptance.scenery import things

from tenantry.kernel import new_id
from tenantry.tenancy import Role
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio

ITEM = {"name": "Desk", "price_cents": 24_900}


@pytest.fixture(scope="module")
async def tenant(world: World) -> TestTenant:
    return await world.tenant(side="idempotent")


async def post(
    tenant: TestTenant, key: str, body: object = ITEM, role: Role = Role.OWNER, path: str = "/items"
) -> Response:
    return await tenant.as_(role).post(path, json=body, headers={"Idempotency-Key": key})


async def effects(admin: asyncpg.Connection, tenant: TestTenant, name: str) -> tuple[int, int, int]:
    """Return how many rows, audit lines and events a name has left."""
    rows = await admin.fetch("SELECT id FROM pool.items WHERE tenant_id = $1 AND name = $2", tenant.id, name)
    ids = [row["id"] for row in rows]
    lines = await admin.fetchval("SELECT count(*) FROM pool.audit_entries WHERE resource_id = ANY ($1)", ids)
    events = await admin.fetchval("SELECT count(*) FROM shared.outbox WHERE aggregate_id = ANY ($1)", ids)
    return len(ids), int(lines), int(events)


async def assert_many_repetitions_have_one_effect(
    tenant: TestTenant, admin: asyncpg.Connection, *, keys: int, times: int
) -> None:
    """The same request, many times at once: one row, one line, one event, and the same answer for everybody."""
    for _ in range(keys):
        key, name = new_id().hex, f"once.{new_id().hex}"
        body = {**ITEM, "name": name}
        answers = await asyncio.gather(*(post(tenant, key, body) for _ in range(times)))
        assert {answer.status_code for answer in answers} == {201}
        seen = {(one.content, one.headers["location"], one.headers["etag"]) for one in answers}
        assert len(seen) == 1, seen
        assert await effects(admin, tenant, name) == (1, 1, 1)


async def test_twenty_at_once_are_one(tenant: TestTenant, admin: asyncpg.Connection) -> None:
    await assert_many_repetitions_have_one_effect(tenant, admin, keys=20, times=20)


async def test_a_nested_create_is_repeated_the_same_way(tenant: TestTenant) -> None:
    ids = await things(tenant)
    path, key = f"/projects/{ids['projects']}/tasks", new_id().hex
    first = await post(tenant, key, {"title": "x"}, path=path)
    again = await post(tenant, key, {"title": "x"}, path=path)
    assert (first.status_code, first.content, first.headers["location"]) == (
        201,
        again.content,
        again.headers["location"],
    )


async def test_the_stored_answer_stays_what_it_was(tenant: TestTenant) -> None:
    key = new_id().hex
    first = await post(tenant, key)
    changed = await tenant.owner.patch(first.headers["location"].removeprefix("/api/v1"), json={"name": "Table"})
    assert changed.status_code == 200
    assert (await post(tenant, key)).content == first.content


async def test_a_key_belongs_to_one_request(tenant: TestTenant) -> None:
    key, ids = new_id().hex, await things(tenant)
    assert (await post(tenant, key)).status_code == 201
    for other in (
        await post(tenant, key, {**ITEM, "name": "Chair"}),
        await post(tenant, key, {"name": "x"}, path="/projects"),
        await post(tenant, key, {"title": "x"}, path=f"/projects/{ids['projects']}/tasks"),
    ):
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused"), other.text


async def test_another_person_and_another_tenant_are_independent(world: World) -> None:
    mine, other = await world.two_tenants()
    key = new_id().hex
    answers = [
        await post(mine, key),
        await post(mine, key, {**ITEM, "name": "Chair"}, Role.MANAGER),
        await post(other, key, {**ITEM, "name": "Table"}),
    ]
    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert len({answer.json()["id"] for answer in answers}) == 3


@pytest.mark.parametrize("key", ["", "x" * 256, "käse", "a\x01b", "tab\t"])
async def test_a_key_that_is_none_is_422(tenant: TestTenant, key: str) -> None:
    headers = {b"idempotency-key": key.encode("latin-1"), b"content-type": b"application/json"}
    answer = await tenant.owner.post("/items", content=b'{"name": "x", "price_cents": 1}', headers=headers)
    assert answer.status_code == 422, answer.text


@pytest.mark.parametrize("key", ["x", "y" * 255, "with spaces and ~!@#"])
async def test_a_key_of_any_printable_text_counts(tenant: TestTenant, key: str) -> None:
    key = key if len(key) == 255 else f"{key} {new_id().hex}"
    assert (await post(tenant, key)).content == (await post(tenant, key)).content


async def test_an_error_is_not_kept_so_that_the_mended_request_may_use_the_key(tenant: TestTenant) -> None:
    key = new_id().hex
    refused = [
        await post(tenant, key, {"name": "x", "price_cents": 0}),
        await post(tenant, key, ITEM, Role.VIEWER),
        await post(tenant, key, {"title": "x"}, path=f"/projects/{new_id()}/tasks"),
    ]
    assert [answer.status_code for answer in refused] == [422, 403, 404]
    assert (await post(tenant, key)).status_code == 201


async def test_what_failed_in_the_middle_may_be_repeated(tenant: TestTenant) -> None:
    ids = await things(tenant)
    key, path = new_id().hex, f"/projects/{ids['projects']}/tasks"
    stranger = {"title": "x", "assignee_id": str(new_id())}
    assert (await post(tenant, key, stranger, path=path)).status_code == 422
    assert (await post(tenant, key, {"title": "x"}, path=path)).status_code == 201


async def test_after_a_day_the_key_is_free(tenant: TestTenant, admin: asyncpg.Connection) -> None:
    key = new_id().hex
    first = await post(tenant, key)
    await _age(admin, key, timedelta(hours=23, minutes=59))
    assert (await post(tenant, key)).content == first.content
    await _age(admin, key, timedelta(hours=24, minutes=1))
    second = await post(tenant, key, {**ITEM, "name": "Chair"})
    assert second.status_code == 201
    assert second.json()["id"] != first.json()["id"]
    assert (await post(tenant, key, {**ITEM, "name": "Chair"})).content == second.content


async def _age(admin: asyncpg.Connection, key: str, age: timedelta) -> None:
    await admin.execute("UPDATE pool.idempotency_keys SET created_at = now() - $1::interval WHERE key = $2", age, key)


@dataclass(frozen=True)
class Command:
    """A POST that no resource generates, or whose record is of the control plane."""

    path: str
    body: dict[str, Any]
    done: str
    """What the trail says about each time that it happened."""
    otherwise: dict[str, Any]
    """What else could be asked."""


async def command_of(tenant: TestTenant, kind: str) -> Command:
    """Return a command that a member may give once they are an owner."""
    project = (await made(tenant.owner, "/projects", name=tenant.canary))["id"]
    gift = {"subject_type": "user", "subject_id": str(tenant.people[Role.VIEWER]), "action": "projects:update"}
    other = {"action": "projects:delete"}
    match kind:
        case "transfer":
            body, otherwise = ({"owner_id": str(tenant.people[role])} for role in (Role.MANAGER, Role.MEMBER))
            return Command(f"/projects/{project}/transfer", body, "projects.transferred", otherwise)
        case "grant on a record":
            return Command(f"/projects/{project}/grants", gift, "grants.given", gift | other)
        case "grant on a resource":
            gift["resource_type"] = "project"
            return Command("/grants", gift, "grants.given", gift | other)
        case _:
            return Command("/api-keys", {"name": tenant.canary}, "api_keys.created", {"name": f"{tenant.canary} 2"})


async def made(client: AsyncClient, path: str, **body: Any) -> dict[str, Any]:
    answer = await client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    record: dict[str, Any] = answer.json()
    return record


async def becomes(tenant: TestTenant, role: str, who: Role = Role.MEMBER) -> None:
    answer = await tenant.owner.patch(f"/members/{tenant.people[who]}", json={"role": role})
    assert answer.status_code == 200, answer.text


async def times(admin: asyncpg.Connection, tenant: TestTenant, action: str) -> int:
    """Return how often something happened, by the trails of both planes."""
    trails = " UNION ALL ".join(
        f"SELECT id FROM {schema}.audit_entries WHERE tenant_id = $1 AND action = $2" for schema in ("pool", "control")
    )
    return int(await admin.fetchval(f"SELECT count(*) FROM ({trails}) lines", tenant.id, action))


EVERY_KIND = pytest.mark.parametrize("kind", ["transfer", "grant on a record", "grant on a resource", "api key"])


async def test_an_api_key_is_another_actor_than_its_person(world: World, admin: asyncpg.Connection) -> None:
    tenant, key = await world.tenant(), new_id().hex
    made = await tenant.manager.post(
        "/api-keys", json={"name": tenant.canary, "permissions": ["items:create", "items:read"]}
    )
    assert made.status_code == 201, made.text
    by_key = tenant.world.client({"Authorization": f"Bearer {made.json()['secret']}"})
    body = {**ITEM, "name": f"{tenant.canary} twice"}
    mine = await post(tenant, key, body, Role.MANAGER)
    its = await by_key.post("/items", json=body, headers={"Idempotency-Key": key})
    assert (mine.status_code, its.status_code) == (201, 201)
    assert mine.json()["id"] != its.json()["id"]
    again = await by_key.post("/items", json=body, headers={"Idempotency-Key": key})
    assert again.json()["id"] == its.json()["id"]
    assert (await effects(admin, tenant, body["name"]))[0] == 2


@EVERY_KIND
class TestCommands:
    async def test_sent_at_once_it_happens_once_and_everybody_gets_its_answer(
        self, world: World, admin: asyncpg.Connection, kind: str
    ) -> None:
        tenant, key = await world.tenant(), new_id().hex
        command = await command_of(tenant, kind)
        answers = await asyncio.gather(*(post(tenant, key, command.body, path=command.path) for _ in range(5)))
        assert len({(one.status_code, one.headers.get("location"), one.headers.get("etag")) for one in answers}) == 1
        assert {one.is_success for one in answers} == {True}, answers[0].text
        told = [{name: value for name, value in one.json().items() if name != "secret"} for one in answers]
        assert told == [told[0]] * 5
        assert await times(admin, tenant, command.done) == 1

    async def test_with_another_body_the_key_is_refused(self, world: World, kind: str) -> None:
        tenant, key = await world.tenant(), new_id().hex
        command = await command_of(tenant, kind)
        assert (await post(tenant, key, command.body, path=command.path)).is_success
        answer = await post(tenant, key, command.otherwise, path=command.path)
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")

    async def test_who_lost_the_right_is_not_told_again(
        self, world: World, admin: asyncpg.Connection, kind: str
    ) -> None:
        tenant, key = await world.tenant(), new_id().hex
        command = await command_of(tenant, kind)
        await becomes(tenant, "owner")
        first = await post(tenant, key, command.body, Role.MEMBER, command.path)
        assert first.is_success, first.text
        await becomes(tenant, "viewer")
        again = await post(tenant, key, command.body, Role.MEMBER, command.path)
        assert (again.status_code, again.json()["code"]) == (403, "not_permitted")
        await becomes(tenant, "owner")
        assert (await post(tenant, key, command.body, Role.MEMBER, command.path)).status_code == first.status_code
        assert await times(admin, tenant, command.done) == 1

    async def test_the_key_of_another_tenant_or_person_is_another(
        self, world: World, admin: asyncpg.Connection, kind: str
    ) -> None:
        tenant, other = await world.two_tenants()
        key = new_id().hex
        for one in (tenant, other):
            command = await command_of(one, kind)
            assert (await post(one, key, command.body, path=command.path)).is_success
            assert await times(admin, one, command.done) == 1
        await becomes(tenant, "owner")
        again = await command_of(tenant, kind)
        assert (await post(tenant, key, again.otherwise, Role.MEMBER, again.path)).is_success

    async def test_what_was_refused_may_be_sent_again_with_the_key(self, world: World, kind: str) -> None:
        tenant, key = await world.tenant(), new_id().hex
        command = await command_of(tenant, kind)
        assert (await post(tenant, key, command.body, Role.VIEWER, command.path)).status_code == 403
        await becomes(tenant, "owner", Role.VIEWER)
        assert (await post(tenant, key, command.body, Role.VIEWER, command.path)).is_success

    @pytest.mark.parametrize("key", ["", "x" * 256, "a\x01b"])
    async def test_a_key_that_is_none_is_422(self, world: World, kind: str, key: str) -> None:
        tenant = await world.tenant()
        command = await command_of(tenant, kind)
        headers = {b"idempotency-key": key.encode(), b"content-type": b"application/json"}
        answer = await tenant.owner.post(command.path, content=json.dumps(command.body), headers=headers)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "idempotency_key_invalid")

    async def test_the_header_is_in_the_document(self, world: World, kind: str) -> None:
        command = await command_of(await world.tenant(), kind)
        paths = world.app.openapi()["paths"]
        template = re.sub("/projects/[^/]+/", "/projects/{id}/", command.path)
        names = [one["name"] for one in paths[f"/api/v1{template}"]["post"]["parameters"]]
        assert "Idempotency-Key" in names
