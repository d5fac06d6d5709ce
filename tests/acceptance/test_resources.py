"""Resources over HTTP: what a write takes and answers, versions, and many clients at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from urllib.parse import urlsplit

import asyncpg
import pytest
from httpx2 import Response
from tests.acceptance.scenery import made, things

from tenantry.tenancy import Role
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio

ITEM = {"name": "Desk", "price_cents": 24_900}


@pytest.fixture(scope="module")
async def tenant(world: World) -> TestTenant:
    return await world.tenant(side="resources")


async def test_a_created_record_is_found_at_its_location_with_the_same_body_and_version(tenant: TestTenant) -> None:
    ids = await things(tenant)
    for path, body in (
        ("/projects", {"name": "x"}),
        (f"/projects/{ids['projects']}/tasks", {"title": "x"}),
        (f"/tasks/{ids['tasks']}/comments", {"body": "x"}),
        ("/items", ITEM),
    ):
        answer = await tenant.owner.post(path, json=body)
        assert (answer.status_code, answer.headers["etag"]) == (201, '"1"')
        found = await tenant.world.client(dict(tenant.owner.headers)).get(f"http://test{answer.headers['location']}")
        assert found.status_code == 200
        assert found.json() == answer.json()
        assert found.headers["etag"] == '"1"'


async def test_other_created_things_have_a_location_too(tenant: TestTenant) -> None:
    answer = await tenant.owner.post("/service-accounts", json={"name": tenant.canary, "role": "viewer"})
    path = urlsplit(answer.headers["location"]).path
    assert (await tenant.owner.get(f"http://test{path}")).json() == answer.json()


class TestPatch:
    async def test_a_null_for_a_value_that_must_be_is_422(self, tenant: TestTenant) -> None:
        ids = await things(tenant)
        for path, member in (
            (f"/items/{ids['items']}", "name"),
            (f"/items/{ids['items']}", "price_cents"),
            (f"/projects/{ids['projects']}", "name"),
            (f"/tasks/{ids['tasks']}", "title"),
            (f"/tasks/{ids['tasks']}", "status"),
            (f"/tasks/{ids['tasks']}", "priority"),
            (f"/tasks/{ids['tasks']}", "project_id"),
            (f"/comments/{ids['comments']}", "body"),
            ("/tenant", "name"),
            ("/tenant", "config"),
        ):
            answer = await tenant.owner.patch(path, json={member: None})
            assert answer.status_code == 422, (path, member, answer.text)
            assert [error["pointer"] for error in answer.json()["errors"]] == [f"/{member}"]

    async def test_a_null_empties_what_may_be_empty_and_only_what_is_named_changes(self, tenant: TestTenant) -> None:
        item = await made(tenant, "/items", {**ITEM, "description": "Oak."})
        renamed = (await tenant.owner.patch(f"/items/{item}", json={"name": "Table"})).json()
        assert (renamed["name"], renamed["description"], renamed["price_cents"]) == ("Table", "Oak.", 24_900)
        emptied = (await tenant.owner.patch(f"/items/{item}", json={"description": None})).json()
        assert (emptied["name"], emptied["description"]) == ("Table", None)

    async def test_a_patch_of_nothing_changes_nothing(self, tenant: TestTenant) -> None:
        item = await made(tenant, "/items", ITEM)
        answer = await tenant.owner.patch(f"/items/{item}", json={})
        assert (answer.status_code, answer.json()["version"]) == (200, 1)

    async def test_unknown_and_read_only_fields_are_422(self, tenant: TestTenant) -> None:
        ids = await things(tenant)
        for path, body in (
            ("/items", {"color": "red"}),
            ("/items", {"id": str(ids["items"])}),
            ("/items", {"tenant_id": str(tenant.id)}),
            ("/items", {"version": 7}),
            ("/items", {"created_at": "2030-01-01T00:00:00Z"}),
            ("/items", {"deleted_at": None}),
            ("/projects", {"status": "approved"}),
            ("/projects", {"owner_id": str(tenant.people[Role.MEMBER])}),
            ("/tasks", {"owner_id": str(tenant.people[Role.MEMBER])}),
            ("/comments", {"task_id": str(ids["tasks"])}),
        ):
            collection = path.removeprefix("/")
            answer = await tenant.owner.patch(f"{path}/{ids[collection]}", json=body)
            assert answer.status_code == 422, (path, body, answer.text)


async def test_put_replaces_what_it_leaves_out_too(tenant: TestTenant) -> None:
    item = await made(tenant, "/items", {**ITEM, "description": "Oak."})
    answer = await tenant.owner.put(f"/items/{item}", json={"name": "Chair", "price_cents": 5})
    read = answer.json()
    assert (read["name"], read["description"], read["price_cents"], read["version"]) == ("Chair", None, 5, 2)
    assert (await tenant.owner.put(f"/items/{item}", json={"name": "Chair"})).status_code == 422


async def test_rich_text_is_sanitised_and_other_text_is_kept_as_it_is(tenant: TestTenant) -> None:
    evil = (
        "<p>Hello <b>you</b></p><script>steal()</script><img src=x onerror=steal()><a href='javascript:steal()'>x</a>"
    )
    ids = await things(tenant)
    answers = [
        (await tenant.owner.post("/projects", json={"name": evil[:200], "description": evil})).json()["description"],
        (await tenant.owner.patch(f"/tasks/{ids['tasks']}", json={"description": evil})).json()["description"],
        (await tenant.owner.post(f"/tasks/{ids['tasks']}/comments", json={"body": evil})).json()["body"],
    ]
    for stored in answers:
        assert "<b>you</b>" in stored
        assert not [word for word in ("script", "onerror", "steal", "javascript") if word in stored], stored
    plain = "Screws < 5 mm & <b>washers</b>"
    kept = (await tenant.owner.post("/items", json={**ITEM, "name": plain, "description": plain})).json()
    assert (kept["name"], kept["description"]) == (plain, plain)


class TestVersions:
    async def test_a_stale_write_is_412_and_changes_nothing(self, tenant: TestTenant) -> None:
        ids = await things(tenant)
        for collection, body in (("items", {"name": "b"}), ("projects", {"name": "b"}), ("tasks", {"title": "b"})):
            path = f"/{collection}/{ids[collection]}"
            first = await tenant.owner.patch(path, json=body, headers={"If-Match": '"1"'})
            assert (first.status_code, first.headers["etag"]) == (200, '"2"')
            for tag in ('"1"', 'W/"2"', '"abc"', '"3"'):
                again = await tenant.owner.patch(path, json=body, headers={"If-Match": tag})
                assert (again.status_code, again.json()["code"]) == (412, "stale_version"), tag
            gone = await tenant.owner.delete(path, headers={"If-Match": '"1"'})
            assert gone.status_code == 412
            assert (await tenant.owner.get(path)).headers["etag"] == '"2"'
            assert (await tenant.owner.delete(path, headers={"If-Match": '"2"'})).status_code == 204
            stale = await tenant.owner.post(f"{path}/restore", headers={"If-Match": '"2"'})
            assert stale.status_code == 412
            back = await tenant.owner.post(f"{path}/restore", headers={"If-Match": '"3"'})
            assert (back.status_code, back.headers["etag"]) == (200, '"4"')

    async def test_the_tenant_has_a_version_as_well(self, tenant: TestTenant) -> None:
        current = (await tenant.owner.get("/tenant")).headers["etag"]
        body = {"name": f"{tenant.canary} renamed"}
        assert (await tenant.owner.patch("/tenant", json=body, headers={"If-Match": current})).status_code == 200
        body = {"name": tenant.canary}
        assert (await tenant.owner.patch("/tenant", json=body, headers={"If-Match": current})).status_code == 412

    async def test_what_is_known_already_is_not_sent_again(self, tenant: TestTenant) -> None:
        item = await made(tenant, "/items", ITEM)
        for tag in ('"1"', 'W/"1"', '"7", "1"', "*"):
            answer = await tenant.owner.get(f"/items/{item}", headers={"If-None-Match": tag})
            assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", '"1"'), tag
        assert (await tenant.owner.get(f"/items/{item}", headers={"If-None-Match": '"2"'})).status_code == 200

    async def test_an_if_match_that_is_none_is_400(self, tenant: TestTenant) -> None:
        item = await made(tenant, "/items", ITEM)
        answer = await tenant.owner.patch(f"/items/{item}", json={"name": "x"}, headers={"If-Match": "1"})
        assert answer.status_code == 400, answer.text


async def assert_one_of_many_wins(tenant: TestTenant, *, rounds: int, clients: int) -> None:
    """Of clients that all change the version they read, exactly one succeeds, and its change stays."""
    item = await made(tenant, "/items", ITEM)
    for number in range(1, rounds + 1):
        headers = {"If-Match": f'"{number}"'}
        answers: list[Response] = await asyncio.gather(
            *(
                tenant.owner.put(
                    f"/items/{item}", json={"name": f"{number}.{client}", "price_cents": 1}, headers=headers
                )
                for client in range(clients)
            )
        )
        assert Counter(answer.status_code for answer in answers) == {200: 1, 412: clients - 1}
        [won] = [answer.json() for answer in answers if answer.status_code == 200]
        assert (await tenant.owner.get(f"/items/{item}")).json() == won


async def test_of_twenty_clients_with_one_version_exactly_one_wins(tenant: TestTenant) -> None:
    await assert_one_of_many_wins(tenant, rounds=100, clients=20)


async def test_without_a_condition_every_change_counts_and_is_in_the_trail(
    tenant: TestTenant, admin: asyncpg.Connection
) -> None:
    item = await made(tenant, "/items", ITEM)
    answers = await asyncio.gather(
        *(tenant.owner.patch(f"/items/{item}", json={"price_cents": price}) for price in range(1, 101))
    )
    assert sorted(answer.json()["version"] for answer in answers) == list(range(2, 102))
    last = max((answer.json() for answer in answers), key=lambda body: int(body["version"]))
    assert (await tenant.owner.get(f"/items/{item}")).json() == last
    lines = await admin.fetch(
        "SELECT before -> 'price_cents' AS was, after -> 'price_cents' AS became FROM pool.audit_entries "
        "WHERE resource_id = $1 AND action = 'items.updated'",
        item,
    )
    # Each change found what the one before had left: a chain from the first price to the last, without a gap.
    steps = {line["was"]: line["became"] for line in lines}
    price, walked = str(ITEM["price_cents"]), 0
    while price in steps:
        price, walked = steps.pop(price), walked + 1
    assert walked == 100


async def test_a_name_that_two_want_at_once_goes_to_one(tenant: TestTenant, world: World) -> None:
    token = {"Authorization": tenant.owner.headers["authorization"]}
    for number in range(10):
        body = {"name": "Race", "slug": f"race-{tenant.slug[-8:]}-{number}"}
        answers = await asyncio.gather(*(world.client(token).post("/tenants", json=body) for _ in range(5)))
        assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 4}
        assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"slug_taken"}
