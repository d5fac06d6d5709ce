"""`Idempotency-Key`: a POST that is repeated happens once, and everybody who repeats it gets the same answer."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import asyncpg
import pytest
from httpx2 import Response
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
