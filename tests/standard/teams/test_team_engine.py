"""What teams get from the engine: repeated requests, events, trail, copies."""

from __future__ import annotations

from uuid import UUID

import asyncpg
import pytest

from tenantry.database import DatabaseRole, DatabaseUrls
from tenantry.kernel import new_id
from tenantry.tenancy import Role
from tenantry.testing import World

pytestmark = pytest.mark.anyio


async def test_a_repeated_post_makes_one_team(world: World) -> None:
    tenant = await world.tenant()
    body, key = {"name": tenant.canary}, {"Idempotency-Key": new_id().hex}
    first, again = [await tenant.owner.post("/teams", json=body, headers=key) for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 201)
    assert (first.content, first.headers["location"]) == (again.content, again.headers["location"])
    reused = await tenant.owner.post("/teams", json={"name": "x"}, headers=key)
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")


async def test_a_copy_that_is_still_good_is_not_sent_again(world: World) -> None:
    tenant = await world.tenant()
    made = await tenant.owner.post("/teams", json={"name": tenant.canary})
    path = f"/teams/{made.json()['id']}"
    assert (await tenant.owner.get(path, headers={"If-None-Match": made.headers["etag"]})).status_code == 304
    assert (await tenant.owner.get(path, params={"fields": "id"})).status_code == 200


async def test_events_are_written_in_the_control_plane(world: World, urls: DatabaseUrls) -> None:
    tenant = await world.tenant()
    team = (await tenant.owner.post("/teams", json={"name": tenant.canary})).json()["id"]
    viewer = {"user_id": str(tenant.people[Role.VIEWER])}
    added = await tenant.owner.post(f"/teams/{team}/members", json=viewer)
    assert sorted(added.json()) == ["created_at", "email", "id", "name", "user_id"]
    connection = await asyncpg.connect(urls.of(DatabaseRole.WORKER))
    try:
        rows = await connection.fetch(
            "SELECT name, aggregate_id, data FROM control.outbox WHERE aggregate_id = $1 ORDER BY id", UUID(team)
        )
    finally:
        await connection.close()
    assert [row["name"] for row in rows] == ["teams.created", "teams.member_added"]


async def test_members_are_sorted_searched_and_paged_by_what_lies_in_another_table(world: World) -> None:
    tenant = await world.tenant()
    team = (await tenant.owner.post("/teams", json={"name": tenant.canary})).json()["id"]
    for role in (Role.VIEWER, Role.MEMBER, Role.MANAGER):
        await tenant.owner.post(f"/teams/{team}/members", json={"user_id": str(tenant.people[role])})
    found, cursor = [], None
    while True:
        params = {"page_size": "1", "sort": "-name", "fields": "id"} | ({"cursor": cursor} if cursor else {})
        page = (await tenant.owner.get(f"/teams/{team}/members", params=params)).json()
        found += [item["id"] for item in page["items"]]
        cursor = page["page"]["next_cursor"]
        if cursor is None:
            break
    assert found == [str(tenant.people[role]) for role in (Role.VIEWER, Role.MEMBER, Role.MANAGER)]
    searched = await tenant.owner.get(f"/teams/{team}/members", params={"search": "viewer-a", "with_total": "true"})
    assert searched.json()["page"]["total"] == 1


async def test_a_role_that_manages_but_does_not_read_teams_may_still_write(world: World) -> None:
    tenant = await world.tenant()
    await tenant.owner.post("/roles", json={"name": "m", "permissions": ["teams:manage"]})
    await tenant.owner.patch(f"/members/{tenant.people[Role.MEMBER]}", json={"role": "m"})
    team = (await tenant.owner.post("/teams", json={"name": tenant.canary})).json()["id"]
    assert (await tenant.member.get(f"/teams/{team}")).status_code == 403
    assert (await tenant.member.patch(f"/teams/{team}", json={"name": "y"})).status_code == 200
    assert (await tenant.member.patch(f"/teams/{new_id()}", content=b"[")).status_code == 415
    assert (await tenant.viewer.patch(f"/teams/{new_id()}", content=b"[")).status_code == 403
