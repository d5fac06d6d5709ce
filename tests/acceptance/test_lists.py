"""Lists: walking them while others write, and every request that makes no sense answered with 400."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from tests.acceptance.scenery import made, things
from tests.acceptance.surface import operations_of

from tenantry.kernel import new_id
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio

ROWS = 500


@pytest.fixture(scope="module")
async def tenant(world: World) -> TestTenant:
    return await world.tenant(side="lists")


@pytest.fixture
async def many(world: World, admin: asyncpg.Connection) -> TestTenant:
    """A tenant with many items, half of them created in the same moment, prices with many ties."""
    tenant = await world.tenant(side="lists")
    await admin.execute(
        "INSERT INTO pool.items (tenant_id, id, name, price_cents, created_at) "
        "SELECT $1, gen_random_uuid(), 'item ' || n, 1 + n % 7, now() - (n % 250) * interval '1 s' "
        "FROM generate_series(1, $2) n",
        tenant.id,
        ROWS,
    )
    return tenant


async def walk(tenant: TestTenant, style: str, *, size: int = 50, **query: str) -> list[str]:
    """Return the ids on all pages of the items, by number, by offset or by cursor."""
    found: list[str] = []
    page, position = 1, dict(query)
    while True:
        match style:
            case "page":
                position = query | {"page": str(page), "page_size": str(size)}
            case "skip":
                position = query | {"skip": str(len(found)), "limit": str(size)}
            case _:
                position.setdefault("limit", str(size))
        body = await read(tenant, position)
        found += [item["id"] for item in body["items"]]
        if not body["page"]["has_more"]:
            assert body["page"]["next_cursor"] is None
            return found
        position = query | {"cursor": body["page"]["next_cursor"], "limit": str(size)}
        page += 1


async def read(tenant: TestTenant, query: dict[str, str], path: str = "/items") -> dict[str, Any]:
    answer = await tenant.owner.get(path, params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.mark.parametrize("sort", ["", "created_at", "-created_at", "name", "-price_cents", "price_cents,-name"])
async def test_every_way_of_paging_meets_each_row_once(many: TestTenant, sort: str) -> None:
    query = {"sort": sort} if sort else {}
    walked = [await walk(many, style, **query) for style in ("page", "skip", "cursor")]
    assert walked[0] == walked[1] == walked[2]
    assert len(set(walked[0])) == ROWS


@pytest.mark.parametrize("sort", ["-created_at", "created_at", "price_cents"])
async def test_a_walk_by_cursor_meets_what_stays_once_while_rows_come_and_go(many: TestTenant, sort: str) -> None:
    staying = set(await walk(many, "cursor"))
    walking = asyncio.create_task(walk(many, "cursor", size=5, sort=sort))
    come: list[UUID] = []
    while not walking.done():
        body = {"name": f"item {new_id()}", "price_cents": 1 + len(come) % 7}
        come.append(await made(many, "/items", body))
        if len(come) % 3 == 0:
            await many.owner.delete(f"/items/{come[-2]}")
    met = await walking
    assert len(come) > 20
    assert len(met) == len(set(met))
    assert staying <= set(met)


async def test_a_total_counts_what_the_filters_leave_on_all_pages(many: TestTenant) -> None:
    body = await read(many, {"with_total": "true", "limit": "10"})
    assert (len(body["items"]), body["page"]["total"]) == (10, ROWS)
    body = await read(many, {"with_total": "true", "limit": "10", "filter[price_cents]": "7"})
    assert body["page"]["total"] == len([n for n in range(1, ROWS + 1) if 1 + n % 7 == 7])
    assert body["page"]["total"] == len(await walk(many, "cursor", **{"filter[price_cents]": "7"}))


@pytest.mark.parametrize(
    "query",
    [
        "page=0", "page=-1", "page=1.5", "page=x", "page=", "page_size=0", "page_size=201", "limit=0", "limit=201",
        "skip=-1", "skip=99999999999999999999", "page=1000000",
        "skip=1&page=1", "page=1&cursor=x", "skip=1&cursor=x", "page_size=5&limit=5",
        "cursor=", "cursor=x", "cursor=" + "A" * 40, "cursor=%00",
        "sort=color", "sort=", "sort=name,name", "sort=name,-name", "sort=--name", "sort=tenant_id", "sort=deleted_at",
        "filter[color]=x", "filter[tenant_id]=x", "filter[description]=x", "filter[name][like]=x", "filter[]=x",
        "filter[price_cents]=x", "filter[price_cents]=1e3", "filter[price_cents]=99999999999999999999",
        "filter[created_at]=now",
        "filter[created_at]=2030-01-01", "filter[price_cents][in]=", "filter[price_cents][in]=1,,2",
        "filter[name]=a&filter[name]=b", "filter[name]=a&filter[name][eq]=a",
        "fields=color", "fields=tenant_id", "fields=", "fields=name,name", "fields=deleted_at",
        "with_total=maybe", "search=" + "x" * 201, "unknown=1", "search=%00", "search=%ff", "search=%zz",
    ],
)  # fmt: skip
async def test_a_list_request_that_makes_no_sense_is_400(tenant: TestTenant, query: str) -> None:
    answer = await tenant.owner.get(f"/items?{query}")
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] != "bad_request"


async def test_every_list_of_the_application_refuses_the_same(tenant: TestTenant) -> None:
    lists = [one for one in operations_of(tenant.world.app) if one.is_list and one.is_of_tenant]
    assert len(lists) > 6
    ids = await things(tenant)
    for operation in lists:
        for query in (
            "page=0",
            "page_size=201",
            "skip=1&page=1",
            "sort=nothing",
            "filter[nothing]=x",
            "fields=nothing",
        ):
            answer = await tenant.owner.get(f"{operation.path_to(ids)}?{query}")
            assert answer.status_code == 400, (operation.id, query, answer.text)
        assert (await tenant.owner.get(f"{operation.path_to(ids)}?page=1&page_size=200")).status_code == 200


async def test_fields_leave_the_others_out_and_keep_the_id(tenant: TestTenant) -> None:
    await things(tenant)
    for path, fields in (("/items", "price_cents,name"), ("/projects", "status"), ("/tasks", "id,title")):
        body = await read(tenant, {"fields": fields}, path)
        assert body["items"]
        assert {name for item in body["items"] for name in item} == {"id", *fields.split(",")}


async def test_filters_narrow_to_what_they_say(tenant: TestTenant) -> None:
    for price in (5, 50, 500):
        await made(tenant, "/items", {"name": f"At {price}%", "price_cents": price})
    expected = {
        "filter[price_cents][gte]=50&filter[name][contains]=At": {"At 50%", "At 500%"},
        "filter[price_cents][in]=5,500&filter[name][contains]=at": {"At 5%", "At 500%"},
        "filter[name]=At 50%25": {"At 50%"},
        "filter[name][contains]=0%25": {"At 50%", "At 500%"},
        "filter[name][contains]=_": set(),
        "search=AT 5%25": {"At 5%"},
    }
    for query, names in expected.items():
        answer = await tenant.owner.get(f"/items?{query}")
        assert {item["name"] for item in answer.json()["items"]} == names, query


class TestCursors:
    async def test_a_cursor_fits_its_own_list_only(self, many: TestTenant, world: World) -> None:
        other = await world.tenant(side="lists")
        stranger = await world.tenant(side="strangers")
        for tenant in (other, stranger):
            for number in range(2):
                await made(tenant, "/items", {"name": str(number), "price_cents": 1})
        cursor = (await read(many, {"limit": "1"}))["page"]["next_cursor"]
        fitting = await many.owner.get("/items", params={"cursor": cursor})
        assert fitting.status_code == 200
        for client, path, query in (
            (other.owner, "/items", {}),
            (stranger.owner, "/items", {}),
            (many.manager, "/items", {}),
            (many.owner, "/projects", {}),
            (many.owner, "/items", {"sort": "name"}),
            (many.owner, "/items", {"filter[price_cents]": "1"}),
            (many.owner, "/items", {"search": "item"}),
        ):
            answer = await client.get(path, params={"cursor": cursor, **query})
            assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor"), (path, query)

    async def test_a_changed_cursor_is_400_whatever_was_changed(self, many: TestTenant) -> None:
        cursor = (await read(many, {"limit": "1", "sort": "name"}))["page"]["next_cursor"]
        changed = [cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1 :] for at in range(len(cursor))]
        for forged in (*changed, cursor[:-1], cursor + "A", cursor[1:]):
            answer = await many.owner.get("/items", params={"cursor": forged, "sort": "name"})
            assert answer.status_code == 400, forged
