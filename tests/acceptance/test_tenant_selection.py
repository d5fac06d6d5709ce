"""Which tenant a request acts in: a person of two tenants, by header and by token, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import pytest
from httpx2 import AsyncClient

from tenantry.kernel import new_id
from tenantry.tenancy import Role
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Both:
    """A person who is a member of two tenants."""

    world: World
    first: TestTenant
    second: TestTenant
    token: str

    def client(self, token: str | None = None, **headers: str) -> AsyncClient:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.world.client({"Authorization": f"Bearer {token or self.token}", **named})

    async def derived(self, tenant: TestTenant) -> str:
        answer = await self.client().post("/auth/switch-tenant", json={"tenant_id": str(tenant.id)})
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        return token


@pytest.fixture
async def both(world: World) -> Both:
    first, second = await world.two_tenants()
    person = await world.person(f"both.{new_id().hex}")
    for tenant in (first, second):
        await world.assembly.services.members.add(tenant.system, person, Role.MEMBER)
        answer = await tenant.owner.post("/items", json={"name": tenant.canary, "price_cents": 1})
        assert answer.status_code == 201
    return Both(world, first, second, await world.token(person))


async def names(client: AsyncClient) -> list[str]:
    answer = await client.get("/items")
    assert answer.status_code == 200, answer.text
    return [item["name"] for item in answer.json()["items"]]


async def test_without_a_header_the_tenant_is_missing(both: Both) -> None:
    answer = await both.client().get("/items")
    assert (answer.status_code, answer.json()["code"]) == (400, "tenant_missing")


async def test_the_header_selects_by_id_or_slug(both: Both) -> None:
    for tenant in (both.first, both.second):
        assert await names(both.client(X_Tenant_Id=str(tenant.id))) == [tenant.canary]
        assert await names(both.client(X_Tenant_Slug=tenant.slug)) == [tenant.canary]
        assert await names(both.client(X_Tenant_Slug=tenant.slug, X_Tenant_Id=str(tenant.id))) == [tenant.canary]
        assert await names(both.client(X_Tenant_Id=str(tenant.id).upper())) == [tenant.canary]


async def test_two_headers_that_disagree_are_400(both: Both) -> None:
    client = both.client(X_Tenant_Id=str(both.first.id), X_Tenant_Slug=both.second.slug)
    for _ in range(2):  # once from the database, once from the cache
        answer = await client.get("/items")
        assert (answer.status_code, answer.json()["code"]) == (400, "tenant_conflict")


async def test_the_same_header_twice_is_400(both: Both) -> None:
    headers = [("Authorization", f"Bearer {both.token}"), *(("X-Tenant-Id", str(both.first.id)) for _ in range(2))]
    answer = await both.world.client().get("/items", headers=headers)
    assert answer.status_code == 400, answer.text


async def test_after_switching_the_token_names_the_tenant_and_a_header_is_400(both: Both) -> None:
    token = await both.derived(both.second)
    assert await names(both.client(token)) == [both.second.canary]
    for header in (
        {"X_Tenant_Id": str(both.first.id)},
        {"X_Tenant_Slug": both.first.slug},
        {"X_Tenant_Id": str(both.second.id)},
    ):
        answer = await both.client(token, **header).get("/items")
        assert (answer.status_code, answer.json()["code"]) == (400, "tenant_header_in_derived_mode"), answer.text


async def test_switching_back_and_forth_reaches_the_right_tenant_every_time(both: Both) -> None:
    for tenant in (both.first, both.second, both.first):
        assert await names(both.client(await both.derived(tenant))) == [tenant.canary]


async def test_a_tenant_of_others_cannot_be_switched_to(both: Both) -> None:
    stranger = await both.world.tenant(side="stranger")
    answers = [
        await both.client().post("/auth/switch-tenant", json=body)
        for body in ({"tenant_id": str(stranger.id)}, {"tenant_id": str(new_id())}, {"slug": stranger.slug})
    ]
    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert len({answer.json()["detail"] for answer in answers}) == 1


@pytest.mark.parametrize("member", ["active_tenant_id", "tenant_id", "tenant"])
async def test_a_body_never_selects_the_tenant(both: Both, member: str) -> None:
    await assert_a_body_never_selects_the_tenant(both.first, both.second.id, both.client(), member)


async def assert_a_body_never_selects_the_tenant(
    tenant: TestTenant, other: UUID, without_header: AsyncClient, member: str
) -> None:
    """Whatever a body, a query string or a form says of a tenant, it is refused or passed over."""
    body = {"name": "x", "price_cents": 1, member: str(other)}
    answer = await tenant.owner.post("/items", json=body)
    assert answer.status_code == 422, answer.text
    assert (await without_header.post("/items", json=body)).status_code == 400
    assert (await without_header.get("/items", params={member: str(other)})).status_code == 400
    assert (await tenant.owner.get("/items", params={member: str(other)})).status_code == 400
    changed = await tenant.owner.patch("/tenant", json={member: str(other), "name": tenant.canary})
    assert changed.status_code == 422, changed.text


async def test_who_left_a_tenant_is_out_at_once_also_with_a_token_that_names_it(both: Both) -> None:
    token = await both.derived(both.first)
    assert await names(both.client(token)) == [both.first.canary]
    me = (await both.client().get("/me")).json()["id"]
    assert (await both.first.owner.delete(f"/members/{me}")).status_code == 204
    assert (await both.client(token).get("/items")).status_code == 403
    assert (await both.client(X_Tenant_Id=str(both.first.id)).get("/items")).status_code == 403
    assert await names(both.client(X_Tenant_Id=str(both.second.id))) == [both.second.canary]
