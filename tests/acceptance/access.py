"""Checks of access over HTTP: grants, keys and restricted fields hold on every way to a record."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import asyncpg
from httpx2 import AsyncClient
from tests.acceptance.scenery import made, things

from tenantry.kernel import new_id
from tenantry.tenancy import Role
from tenantry.testing import TestTenant


async def assert_what_is_denied_is_in_no_list(tenant: TestTenant) -> None:
    """A deny takes one record, and what lies below it, out of every list, count and search of whom it is about."""
    denied, kept = await things(tenant), await things(tenant)
    paths = {"projects": "/projects", "tasks": "/tasks", "comments": "/comments"}
    for collection, path in paths.items():
        assert {str(denied[collection]), str(kept[collection])} <= await _listed(tenant.member, path), path
    await give(tenant, f"/projects/{denied['projects']}", Role.MEMBER, "projects:read", effect="deny")
    for collection, path in paths.items():
        found = await _listed(tenant.member, path)
        assert str(denied[collection]) not in found, f"{path} lists what is denied"
        assert str(kept[collection]) in found, f"{path} lost what is not denied"
        assert str(denied[collection]) in await _listed(tenant.owner, path), f"{path} is denied to others"
        assert (await tenant.member.get(f"{path}/{denied[collection]}")).status_code == 404, path
    assert (await tenant.member.get(f"/projects/{denied['projects']}/tasks")).status_code == 404


async def assert_a_deny_stands_above_every_allow(tenant: TestTenant) -> None:
    """Whoever is allowed and denied the same is denied it, on one record and on the whole resource."""
    project = (await things(tenant))["projects"]
    await give(tenant, f"/projects/{project}", Role.MEMBER, "projects:update")
    assert await _change(tenant.member, project) == 200
    await give(tenant, f"/projects/{project}", Role.MEMBER, "projects:update", effect="deny")
    assert await _change(tenant.member, project) == 403, "an allow stands above a deny"
    other = (await things(tenant))["projects"]
    await give(tenant, "", Role.VIEWER, "projects:update", resource_type="project")
    assert await _change(tenant.viewer, other) == 200
    await give(tenant, f"/projects/{other}", Role.VIEWER, "projects:*", effect="deny")
    assert await _change(tenant.viewer, other) == 404, "a grant on the resource stands above a deny on the record"


async def assert_expired_grants_on_records_count_for_nothing(tenant: TestTenant, admin: asyncpg.Connection) -> None:
    """A grant on a record ends at its moment, without anybody taking it back."""
    project = (await things(tenant))["projects"]
    grant = await give(
        tenant, f"/projects/{project}", Role.MEMBER, "projects:update", expires_at="2100-01-01T00:00:00Z"
    )
    assert await _change(tenant.member, project) == 200
    await admin.execute("UPDATE pool.grants SET expires_at = now() - interval '1 s' WHERE id = $1", grant)
    assert await _change(tenant.member, project) == 403, "an expired grant counts"


async def assert_expired_grants_on_resources_count_for_nothing(tenant: TestTenant, admin: asyncpg.Connection) -> None:
    """A grant on a whole resource ends at its moment as well."""
    item = (await things(tenant))["items"]
    lasting = {"resource_type": "item", "expires_at": "2100-01-01T00:00:00Z"}
    grant = await give(tenant, "", Role.VIEWER, "items:update", **lasting)
    await admin.execute("UPDATE control.type_grants SET expires_at = now() - interval '1 s' WHERE id = $1", grant)
    await give(tenant, "", Role.MEMBER, "items:update", **lasting)  # announces that the grants of the tenant changed
    assert (await tenant.member.patch(f"/items/{item}", json={"name": "x"})).status_code == 200
    answer = await tenant.viewer.patch(f"/items/{item}", json={"name": "x"})
    assert answer.status_code == 403, "an expired grant counts"


async def assert_grants_end_at_the_border(mine: TestTenant, other: TestTenant) -> None:
    """A grant on a whole resource holds in its own tenant only, also for whoever belongs to both."""
    person = mine.people[Role.VIEWER]
    await mine.world.assembly.services.members.add(other.system, person, Role.VIEWER)
    await give(other, "", Role.MEMBER, "items:read", resource_type="item")
    await give(mine, "", Role.VIEWER, "items:create", resource_type="item")
    body = {"name": "x", "price_cents": 1}
    there = {"Authorization": mine.viewer.headers["authorization"], "X-Tenant-Id": str(other.id)}
    assert (await mine.viewer.post("/items", json=body)).status_code == 201
    answer = await mine.world.client(there).post("/items", json=body)
    assert answer.status_code == 403, "a grant of one tenant counts in another one"


async def assert_a_key_reaches_no_further_than_its_scope(tenant: TestTenant) -> None:
    """A key with a scope does what is in it and nothing else, however much its holder may do."""
    project = (await things(tenant))["projects"]
    scoped = await using_key(tenant, Role.OWNER, permissions=["projects:read"])
    assert (await scoped.get(f"/projects/{project}")).status_code == 200
    whole = await using_key(tenant, Role.OWNER)
    assert await _change(whole, project) == 200
    assert await _change(scoped, project) == 403, "a key reaches further than its scope"
    answer = await scoped.post("/items", json={"name": "x", "price_cents": 1})
    assert answer.status_code == 403, "a key reaches further than its scope"


async def assert_keys_of_former_members_are_refused(tenant: TestTenant) -> None:
    """A key ends with the membership of its holder, and does not come back with a new one."""
    key, person = await using_key(tenant, Role.MEMBER), tenant.people[Role.MEMBER]
    assert (await key.get("/projects")).status_code == 200
    assert (await tenant.owner.delete(f"/members/{person}")).status_code == 204
    assert (await key.get("/projects")).status_code in (401, 403), "the key of a former member works"
    await tenant.join(person)
    assert (await key.get("/projects")).status_code == 401, "the key of an earlier membership works"


async def assert_a_hidden_field_tells_nothing(tenant: TestTenant) -> None:
    """A restricted field is neither shown, nor sorted, filtered or asked for by whoever does not see it."""
    project = await made(tenant, "/projects", {"name": "x", "budget_cents": 7_351_735})
    asked = ("sort=budget_cents", "sort=-budget_cents", "filter[budget_cents]=7351735", "fields=budget_cents")
    for query in (*asked, "filter[budget_cents][gte]=1", "sort=name,budget_cents"):
        assert (await tenant.manager.get(f"/projects?{query}")).status_code == 200, query
        answer = await tenant.member.get(f"/projects?{query}")
        assert answer.status_code == 400, f"{query} tells about a hidden field: {answer.text[:200]}"
    for path in ("/projects", f"/projects/{project}"):
        assert "budget" not in (await tenant.member.get(path)).text, path
    assert "7351735" in (await tenant.manager.get(f"/projects/{project}")).text


async def give(tenant: TestTenant, on: str, to: Role, action: str, **more: str) -> UUID:
    """Grant something to one of the tenant's people, as the owner; `on` is the path of a record, or nothing."""
    body = {"subject_type": "user", "subject_id": str(tenant.people[to]), "action": action, **more}
    return await made(tenant, f"{on}/grants", dict(body))


async def using_key(tenant: TestTenant, maker: Role, **scope: Any) -> AsyncClient:
    """Return a client with a new key of one of the tenant's people, and nothing that names a tenant."""
    answer = await tenant.as_(maker).post("/api-keys", json={"name": f"key {new_id()}", **scope})
    assert answer.status_code == 201, answer.text
    return tenant.world.client({"X-API-Key": answer.json()["secret"]})


async def _change(client: AsyncClient, project: UUID) -> int:
    answer = await client.patch(f"/projects/{project}", json={"name": f"changed {new_id()}"})
    return answer.status_code


async def _listed(client: AsyncClient, path: str) -> set[str]:
    """Return the ids in a list; its total must be as many."""
    answer = await client.get(path, params={"limit": "200", "with_total": "true"})
    assert answer.status_code == 200, answer.text
    found = {item["id"] for item in answer.json()["items"]}
    assert answer.json()["page"]["total"] == len(found), f"{path} counts others than it lists"
    return found
