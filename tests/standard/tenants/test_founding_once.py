"""A founding that is sent again with its `Idempotency-Key` is answered as before, and happens once."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from httpx2 import AsyncClient, Response
from tests.people import a_slug, someone

from tenantry.database import DatabaseRole, Placement, PlacementKind
from tenantry.kernel import Actor, ActorKind
from tenantry.resources import Idempotency
from tenantry.standard.tenants.service import Founding, Tenants
from tenantry.tenancy import PlacementFailed, TenancySettings
from tenantry.testing import World

pytestmark = pytest.mark.anyio

ONCE = {"Idempotency-Key": "once"}


async def found(client: AsyncClient, slug: str, path: str = "/tenants") -> Response:
    return await client.post(path, json={"name": f"CNRY.{slug}", "slug": slug}, headers=ONCE)


@pytest.mark.parametrize("path", ["/tenants", "/platform/tenants"])
async def test_it_happens_once_however_often_it_is_sent(world: World, path: str) -> None:
    client, slug = (await someone(world, platform_role="superadmin")).client(), a_slug()
    answers = await asyncio.gather(*(found(client, slug, path) for _ in range(5)))
    answers.append(await found(client, slug, path))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len({(answer.headers["etag"], answer.headers["location"]) for answer in answers}) == 1
    assert len((await client.get("/me/tenants")).json()["items"]) == 1


async def test_another_request_with_the_key_is_refused(world: World) -> None:
    client = (await someone(world)).client()
    assert (await found(client, a_slug())).status_code == 201
    other = await found(client, a_slug())
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_a_key_is_one_persons(world: World) -> None:
    first, second = [(await someone(world)).client() for _ in range(2)]
    slug = a_slug()
    assert (await found(first, slug)).status_code == 201
    stolen = await found(second, slug)
    assert (stolen.status_code, stolen.json()["code"]) == (409, "slug_taken")
    assert (await found(second, a_slug())).status_code == 201


async def test_a_refusal_is_not_stored(world: World) -> None:
    client = (await someone(world)).client()
    taken = await world.tenant()
    assert (await found(client, taken.slug)).status_code == 409
    assert (await found(client, a_slug())).status_code == 201


async def test_nobody_reads_the_keys_of_somebody_else(world: World) -> None:
    who = await someone(world)
    await found(who.client(), a_slug())
    connection = await world.assembly.runtime.database.connect(DatabaseRole.CONTROL)
    try:
        for user_id, number in ((UUID(int=1), 0), (who.id, 1)):
            await connection.execute(f"SET app.user_id = '{user_id}'")
            assert await connection.fetchval("SELECT count(*) FROM control.person_idempotency_keys") == number
    finally:
        connection.terminate()


class TestWithASchemaOfItsOwn:
    def founding(self, user_id: UUID, slug: str) -> Founding:
        actor = Actor(ActorKind.USER, user_id)
        return Founding(f"CNRY.{slug}", slug, user_id, actor, placement=PlacementKind.SCHEMA)

    async def test_the_answer_is_the_one_after_the_schema_was_made(self, world: World) -> None:
        who, slug, prepared = await someone(world), a_slug(), []

        async def prepare(placement: Placement) -> None:
            prepared.append(placement)

        tenants = Tenants(world.assembly.runtime, TenancySettings(), prepare)
        once = Idempotency(who.id, "once", "0" * 64, is_of_person=True)
        made = [await tenants.create(self.founding(who.id, slug), once) for _ in range(3)]
        assert made == [made[0]] * 3
        assert (made[0].status, len(prepared)) == ("active", 1)

    async def test_one_that_failed_can_be_sent_again(self, world: World) -> None:
        who, slug, attempts = await someone(world), a_slug(), []

        async def prepare(placement: Placement) -> None:
            attempts.append(placement)
            if len(attempts) == 1:
                raise OSError

        tenants = Tenants(world.assembly.runtime, TenancySettings(), prepare)
        once = Idempotency(who.id, "once", "0" * 64, is_of_person=True)
        with pytest.raises(PlacementFailed):
            await tenants.create(self.founding(who.id, slug), once)
        assert (await tenants.create(self.founding(who.id, slug), once)).status == "active"
