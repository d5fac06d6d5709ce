"""One request, many things wrong with it: which one is answered. Nothing is said to whoever may not ask.

413 → 401 → tenant 400/403 → 400 (query) / 422 (path, body) → 404 → 403 → 412 → 409.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from httpx2 import AsyncClient, Response
from tests.acceptance.scenery import made, things
from tests.acceptance.surface import PREFIX, operations_of, tenant_operations

from tenantry.kernel import new_id
from tenantry.tenancy import Role
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio

MALFORMED = b'{"name": '
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
async def tenant(world: World) -> TestTenant:
    return await world.tenant(side="order")


@pytest.fixture(scope="module")
async def stranger(world: World, tenant: TestTenant) -> AsyncClient:
    """Somebody who is signed in and names a tenant they do not belong to."""
    token = await world.token(await world.person("order-stranger"))
    return world.client({"Authorization": f"Bearer {token}", "X-Tenant-Id": str(tenant.id)})


async def refused(client: AsyncClient, method: str, path: str, status: int, **given: Any) -> Response:
    answer = await client.request(method, path, **given)
    assert answer.status_code == status, (method, path, answer.status_code, answer.text)
    return answer


async def test_too_large_comes_first(tenant: TestTenant, world: World) -> None:
    limit = world.assembly.settings.http.max_body_bytes
    huge = b" " * (limit + 1)
    for client in (world.client(), tenant.owner):
        await refused(client, "POST", "/items", 413, content=huge, headers=JSON)
        await refused(client, "POST", "/members", 413, content=huge, headers=JSON)

    async def unannounced() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield huge[: limit // 2]

    await refused(tenant.owner, "POST", "/items", 413, content=unannounced(), headers=JSON)
    await refused(tenant.owner, "POST", "/members", 413, content=unannounced(), headers=JSON)


async def test_nobody_who_is_not_signed_in_is_told_anything_but_that(world: World) -> None:
    """Malformed ids, queries and bodies, for every operation that needs a token: always the same 401."""
    protected = [one for one in operations_of(world.app) if not one.is_public]
    assert len(protected) > 50
    for operation in protected:
        path = "/".join("x" if part.startswith("{") else part for part in operation.path.split("/"))
        for headers in ({}, {"Authorization": "Bearer x.y.z"}, {"Authorization": "Basic eDp5"}):
            answer = await refused(
                world.client(headers), operation.method, f"http://test{path}?page=0&sort=nothing", 401,
                content=MALFORMED, headers=JSON,
            )  # fmt: skip
            assert answer.headers["www-authenticate"] == "Bearer"
            assert "errors" not in answer.json()


async def test_the_tenant_is_decided_before_anything_is_read(
    world: World, tenant: TestTenant, stranger: AsyncClient
) -> None:
    token = {"Authorization": tenant.owner.headers["authorization"]}
    for operation in tenant_operations(world.app):
        path = "/".join("x" if part.startswith("{") else part for part in operation.path.split("/"))
        sent: dict[str, Any] = {"content": MALFORMED, "headers": JSON}
        address = f"http://test{path}?page=0&sort=nothing"
        missing = await refused(world.client(token), operation.method, address, 400, **sent)
        assert missing.json()["code"] == "tenant_missing", operation.id
        bad = {**token, "X-Tenant-Id": "not-an-id"}
        assert (await refused(world.client(bad), operation.method, address, 400, **sent)).json()[
            "code"
        ] == "invalid_tenant_id"
        assert (await refused(stranger, operation.method, address, 403, **sent)).json()["code"] == "not_a_member"


async def test_input_comes_before_the_record(tenant: TestTenant) -> None:
    nowhere = new_id()
    await refused(tenant.viewer, "PATCH", "/items/not-an-id", 422, json={"name": "x"})
    await refused(tenant.viewer, "PATCH", f"/items/{nowhere}", 422, json={"price_cents": 0})
    await refused(tenant.viewer, "PATCH", f"/items/{nowhere}", 422, content=MALFORMED, headers=JSON)
    await refused(
        tenant.viewer, "PATCH", f"/items/{nowhere}", 415, content=b"x", headers={"Content-Type": "text/plain"}
    )
    await refused(tenant.viewer, "GET", f"/projects/{nowhere}/tasks?page=0", 400)
    await refused(tenant.viewer, "POST", f"/projects/{nowhere}/tasks", 422, json={"title": ""})
    await refused(tenant.viewer, "POST", f"/projects/{nowhere}/transfer", 422, json={"owner_id": "x"})
    await refused(tenant.viewer, "DELETE", f"/items/{nowhere}?hard=maybe", 400)


async def test_the_record_comes_before_the_permission(tenant: TestTenant) -> None:
    nowhere = new_id()
    for role in Role:
        await refused(tenant.as_(role), "PATCH", f"/items/{nowhere}", 404, json={"name": "x"})
        await refused(
            tenant.as_(role), "PATCH", f"/items/{nowhere}", 404, json={"name": "x"}, headers={"If-Match": '"9"'}
        )
        await refused(tenant.as_(role), "GET", f"/projects/{nowhere}/tasks", 404)


async def test_the_permission_comes_before_the_version(tenant: TestTenant) -> None:
    item = await made(tenant, "/items", {"name": "x", "price_cents": 1})
    stale = {"If-Match": '"9"'}
    await refused(tenant.member, "PATCH", f"/items/{item}", 403, json={"name": "y"}, headers=stale)
    await refused(tenant.manager, "PATCH", f"/items/{item}", 412, json={"name": "y"}, headers=stale)
    await refused(tenant.manager, "DELETE", f"/items/{item}", 403, headers=stale)
    await refused(tenant.owner, "DELETE", f"/items/{item}", 412, headers=stale)


async def test_the_version_comes_before_the_conflict(tenant: TestTenant, world: World) -> None:
    taken = (await world.tenant(side="order-taken")).slug
    await refused(tenant.owner, "PATCH", "/tenant", 412, json={"slug": taken}, headers={"If-Match": '"99"'})
    await refused(tenant.owner, "PATCH", "/tenant", 409, json={"slug": taken})


async def test_a_static_path_is_not_taken_for_an_id(tenant: TestTenant) -> None:
    await refused(tenant.owner, "POST", "/invitations/accept", 422, json={})
    await refused(tenant.owner, "GET", "/me/tenants", 200)


@pytest.mark.parametrize(
    "spelling",
    ["/items/", "//items", "/ITEMS", "/items;x=1", "/items.json", "/items%2F", "/items/%2e%2e/projects"],
)
async def test_another_spelling_of_a_path_is_another_path(tenant: TestTenant, spelling: str) -> None:
    answer = await tenant.owner.get(f"http://test{PREFIX}{spelling}")
    assert answer.status_code == 404, answer.text


async def test_a_method_that_is_smuggled_in_a_header_is_not_the_method(tenant: TestTenant) -> None:
    ids = await things(tenant)
    for header in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        answer = await tenant.viewer.get(f"/items/{ids['items']}", headers={header: "DELETE"})
        assert answer.status_code == 200
        await refused(tenant.viewer, "POST", f"/items/{ids['items']}", 405, headers={header: "DELETE"})
