"""A slug that a tenant had stays its address: whoever still sends it reaches nobody else."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from httpx2 import AsyncClient, Response
from tests.people import a_slug, someone

from tenantry.tenancy import Role
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio

TAKEN = (409, "slug_taken")


async def renamed(tenant: TestTenant) -> str:
    """Give a tenant another slug; return the new one."""
    slug = a_slug()
    assert (await tenant.owner.patch("/tenant", json={"slug": slug})).status_code == 200
    return slug


async def founding(client: AsyncClient, slug: str) -> Response:
    return await client.post("/tenants", json={"name": f"CNRY.{slug}", "slug": slug})


def refusal(answer: Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def administrator(world: World) -> AsyncClient:
    return (await someone(world, platform_role="superadmin")).client()


async def test_what_is_still_sent_to_an_old_slug_reaches_no_stranger(world: World) -> None:
    tenant, stranger = await world.tenant(side="a"), await someone(world)
    await renamed(tenant)
    assert refusal(await founding(stranger.client(), tenant.slug)) == TAKEN
    script = world.client({"Authorization": f"Bearer {tenant.tokens[Role.MEMBER]}", "X-Tenant-Slug": tenant.slug})
    unknown = world.client({"Authorization": f"Bearer {tenant.tokens[Role.MEMBER]}", "X-Tenant-Slug": a_slug()})
    sent = [await one.post("/items", json={"name": tenant.canary, "price_cents": 1}) for one in (script, unknown)]
    assert [refusal(answer) for answer in sent] == [(403, "not_a_member")] * 2


async def test_no_tenant_takes_a_slug_that_another_one_had(world: World) -> None:
    first, second = await world.two_tenants()
    for _ in range(2):  # however long ago
        await renamed(first)
    assert refusal(await second.owner.patch("/tenant", json={"slug": first.slug})) == TAKEN
    by_platform = await (await administrator(world)).patch(f"/platform/tenants/{second.id}", json={"slug": first.slug})
    assert refusal(by_platform) == TAKEN
    assert (await second.owner.get("/tenant")).json()["slug"] == second.slug


async def test_a_tenant_takes_its_own_old_slug_back(world: World) -> None:
    tenant = await world.tenant()
    new = await renamed(tenant)
    assert (await tenant.owner.patch("/tenant", json={"slug": tenant.slug})).json()["slug"] == tenant.slug
    stranger = await someone(world)
    for slug in (new, tenant.slug):
        assert refusal(await founding(stranger.client(), slug)) == TAKEN


async def test_the_platform_lists_and_releases_what_no_tenant_has_any_more(world: World) -> None:
    tenant, admin, stranger = await world.tenant(), await administrator(world), await someone(world)
    new = await renamed(tenant)
    listed = (await admin.get(f"/platform/slugs?filter[tenant_id]={tenant.id}")).json()["items"]
    assert {one["slug"]: one["is_current"] for one in listed} == {tenant.slug: False, new: True}
    assert refusal(await admin.delete(f"/platform/slugs/{new}")) == (404, "slug_not_found")
    assert refusal(await admin.delete(f"/platform/slugs/{a_slug()}")) == (404, "slug_not_found")
    assert (await admin.delete(f"/platform/slugs/{tenant.slug}")).status_code == 204
    assert (await founding(stranger.client(), tenant.slug)).status_code == 201
    assert refusal(await tenant.owner.patch("/tenant", json={"slug": tenant.slug})) == TAKEN


async def test_only_the_platform_sees_and_releases_slugs(world: World) -> None:
    tenant = await world.tenant()
    old, _ = tenant.slug, await renamed(tenant)
    for answer in (await tenant.owner.get("/platform/slugs"), await tenant.owner.delete(f"/platform/slugs/{old}")):
        assert answer.status_code == 403


async def test_who_takes_a_slug_while_it_is_given_up_gets_it_never(world: World) -> None:
    strangers = [await someone(world) for _ in range(4)]
    for _ in range(5):
        tenant = await world.tenant()
        results = await asyncio.gather(
            renamed(tenant), *(founding(stranger.client(), tenant.slug) for stranger in strangers)
        )
        assert {refusal(answer) for answer in results[1:] if isinstance(answer, Response)} == {TAKEN}


async def test_of_two_tenants_that_take_one_slug_at_once_one_has_it(world: World) -> None:
    for _ in range(5):
        tenants, slug = await world.two_tenants(), a_slug()
        answers = await asyncio.gather(*(one.owner.patch("/tenant", json={"slug": slug}) for one in tenants))
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        [holder] = {UUID(answer.json()["id"]) for answer in answers if answer.status_code == 200}
        assert holder in {one.id for one in tenants}
