"""What is deleted is gone from everything that can be read, can be brought back, and is removed only by a purge."""

from __future__ import annotations

import asyncio
from uuid import UUID

import asyncpg
import pytest
from tests.acceptance.scenery import made, things

from tenantry.kernel import new_id
from tenantry.tenancy import Role
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio

COLLECTIONS = ("projects", "tasks", "comments", "items")


async def readings(tenant: TestTenant, mark: str) -> dict[str, object]:
    """Return what every reading shows of the rows that carry a mark: how many, and how they are counted."""
    shown: dict[str, object] = {}
    for path in ("/projects", "/tasks", "/comments", "/items"):
        for query in ({"with_total": "true"}, {"search": mark, "with_total": "true"}):
            body = (await tenant.owner.get(path, params=query)).json()
            found = sum(mark in str(item) for item in body["items"])
            shown[f"{path} {query}"] = (found, body["page"]["total"])
    shown["/stats"] = (await tenant.owner.get("/stats")).json()
    return shown


async def assert_what_is_deleted_is_seen_nowhere(tenant: TestTenant) -> None:
    """Nothing that reads shows or counts what was deleted, nor what lies under it; a restore brings all of it back."""
    kept = await things(tenant)
    before = await readings(tenant, "DEL")
    mark = f"DEL.{new_id().hex}"
    ids = await marked(tenant, mark)
    full = await readings(tenant, "DEL")
    assert full != before
    removed = [ids["comments"], ids["tasks"], ids["projects"], ids["items"]]
    for collection, record in zip(("comments", "tasks", "projects", "items"), removed, strict=True):
        assert (await tenant.owner.delete(f"/{collection}/{record}")).status_code == 204
        await _is_out_of_reach(tenant, collection, record)
    assert await readings(tenant, "DEL") == before
    for path in (f"/projects/{ids['projects']}/tasks", f"/tasks/{ids['tasks']}/comments"):
        assert (await tenant.owner.get(path)).status_code == 404
    for collection, record in zip(
        ("projects", "tasks", "comments", "items"), (removed[2], removed[1], removed[0], removed[3]), strict=True
    ):
        assert (await tenant.owner.post(f"/{collection}/{record}/restore")).status_code == 200
    assert await readings(tenant, "DEL") == full
    assert (await tenant.owner.get(f"/tasks/{kept['tasks']}")).status_code == 200


async def marked(tenant: TestTenant, mark: str) -> dict[str, UUID]:
    """Make one of everything, each with the mark in what is searched."""
    project = await made(tenant, "/projects", {"name": mark})
    task = await made(tenant, f"/projects/{project}/tasks", {"title": mark})
    comment = await made(tenant, f"/tasks/{task}/comments", {"body": mark})
    item = await made(tenant, "/items", {"name": mark, "price_cents": 1})
    return {"projects": project, "tasks": task, "comments": comment, "items": item}


async def _is_out_of_reach(tenant: TestTenant, collection: str, record: UUID) -> None:
    path = f"/{collection}/{record}"
    body = {"projects": {"name": "x"}, "tasks": {"title": "x"}, "comments": {"body": "x"}, "items": {"name": "x"}}
    assert (await tenant.owner.get(path)).status_code == 404
    assert (await tenant.owner.patch(path, json=body[collection])).status_code == 404
    assert (await tenant.owner.delete(path)).status_code == 404


@pytest.fixture
async def tenant(world: World) -> TestTenant:
    return await world.tenant(side="deleting")


async def test_what_is_deleted_is_seen_nowhere_and_comes_back(tenant: TestTenant) -> None:
    await assert_what_is_deleted_is_seen_nowhere(tenant)


async def test_what_lies_under_it_disappears_from_lists_and_counts_with_it(tenant: TestTenant) -> None:
    before = await readings(tenant, "DEL")
    ids = await marked(tenant, "DEL")
    full = await readings(tenant, "DEL")
    assert (await tenant.owner.delete(f"/projects/{ids['projects']}")).status_code == 204
    assert (await tenant.owner.delete(f"/items/{ids['items']}")).status_code == 204
    assert await readings(tenant, "DEL") == before
    assert (await tenant.owner.post(f"/projects/{ids['projects']}/restore")).status_code == 200
    assert (await tenant.owner.post(f"/items/{ids['items']}/restore")).status_code == 200
    assert await readings(tenant, "DEL") == full


async def test_a_task_cannot_be_moved_into_a_deleted_project(tenant: TestTenant) -> None:
    ids, gone = await things(tenant), await marked(tenant, "DEL")
    assert (await tenant.owner.delete(f"/projects/{gone['projects']}")).status_code == 204
    answers = [
        await tenant.owner.patch(f"/tasks/{ids['tasks']}", json={"project_id": str(project)})
        for project in (gone["projects"], new_id())
    ]
    assert [answer.status_code for answer in answers] == [422, 422]
    assert len({answer.json()["detail"] for answer in answers}) == 1


async def test_only_a_purge_removes_the_row(tenant: TestTenant, admin: asyncpg.Connection) -> None:
    ids = await things(tenant)
    for collection in ("comments", "tasks", "projects", "items"):
        path, count = f"/{collection}/{ids[collection]}", f"SELECT count(*) FROM pool.{collection} WHERE id = $1"
        assert (await tenant.manager.delete(path, params={"hard": "true"})).status_code == 403
        assert await admin.fetchval(count, ids[collection]) == 1
        assert (await tenant.owner.delete(path, params={"hard": "true"})).status_code == 204
        assert await admin.fetchval(count, ids[collection]) == 0
        line = await admin.fetchrow(
            "SELECT before, after FROM pool.audit_entries WHERE resource_id = $1 AND action = $2",
            ids[collection],
            f"{collection}.purged",
        )
        assert line["before"] is not None
        assert line["after"] is None


async def test_a_value_of_hard_that_is_none_is_refused_instead_of_guessed(tenant: TestTenant) -> None:
    item = await made(tenant, "/items", {"name": "x", "price_cents": 1})
    for value in ("yes", "1", "TRUE ", ""):
        answer = await tenant.owner.delete(f"/items/{item}", params={"hard": value})
        assert answer.status_code == 400, (value, answer.status_code)
    assert (await tenant.owner.delete(f"/items/{item}", params={"hard": "false"})).status_code == 204


async def test_of_many_who_delete_or_restore_at_once_one_succeeds(
    tenant: TestTenant, admin: asyncpg.Connection
) -> None:
    item = await made(tenant, "/items", {"name": "x", "price_cents": 1})
    for _ in range(10):
        deleted = await asyncio.gather(*(tenant.owner.delete(f"/items/{item}") for _ in range(10)))
        assert sorted(answer.status_code for answer in deleted) == [204, *[404] * 9]
        restored = await asyncio.gather(*(tenant.owner.post(f"/items/{item}/restore") for _ in range(10)))
        assert sorted(answer.status_code for answer in restored) == [200, *[404] * 9]
    assert await admin.fetchval("SELECT version FROM pool.items WHERE id = $1", item) == 21


async def test_who_deleted_it_is_remembered_until_it_is_restored(tenant: TestTenant, admin: asyncpg.Connection) -> None:
    ids = await things(tenant)
    query = "SELECT deleted_by FROM pool.comments WHERE id = $1"
    assert (await tenant.manager.delete(f"/comments/{ids['comments']}")).status_code == 204
    assert await admin.fetchval(query, ids["comments"]) == tenant.people[Role.MANAGER]
    assert (await tenant.owner.post(f"/comments/{ids['comments']}/restore")).status_code == 200
    assert await admin.fetchval(query, ids["comments"]) is None
