"""Controllers: commands of a resource as methods of a class, decided by the same rule as everything else."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID

import pytest
from fastapi.responses import PlainTextResponse
from httpx2 import AsyncClient, Response
from tests.conftest import suite_settings

from planner.app import application
from planner.items.schemas import ItemRead
from planner.items.service import ItemService
from tenantry.app import assembled
from tenantry.database import DatabaseUrls
from tenantry.http import InputSchema
from tenantry.kernel import ConfigurationError
from tenantry.module import Module
from tenantry.resources import Change, Controller, endpoint, scope
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio


class Discount(InputSchema):
    percent: int


@scope("/item-commands", access=ItemService.resource.access, acl_allow_always=["manager"], acl_admins=["manager"])
class ItemCommands(ItemService):
    @endpoint("/{id}/discount", verb="update")
    async def discount(self, id: UUID, payload: Discount) -> ItemRead:  # noqa: A002 - the name in the path
        """Lower the price of an item."""
        record = await self.records.change(
            id,
            Change.SET,
            verb="read",
            action="items.discounted",
            values={"price_cents": 100 - payload.percent},
        )
        return ItemRead.model_validate_json(record.json)

    @endpoint("/{id}/look", verb="read")
    async def look(self, id: UUID) -> dict[str, UUID]:  # noqa: A002 - the name in the path
        """Say that it was seen."""
        return {"seen": id}

    @endpoint("/{id}/forget", verb="update", status_code=204)
    async def forget(self, id: UUID) -> None:  # noqa: A002 - the name in the path
        """Do something of which there is nothing to say."""

    @endpoint("/{id}/print", verb="read")
    async def print(self, id: UUID) -> PlainTextResponse:  # noqa: A002 - the name in the path
        """Answer with a file."""
        return PlainTextResponse(f"item {id}")

    @endpoint("/report", verb="delete", method="GET")
    async def report(self) -> dict[str, str]:
        """Say that one may delete."""
        return {"tenant": self.principal.tenant.slug}


@pytest.fixture(scope="module")
async def commanded(urls: DatabaseUrls) -> AsyncIterator[World]:
    """Planner with the commands beside its own routes."""
    extended = replace(application, modules=(*application.modules, Module("commands", routers=(ItemCommands,))))
    async with assembled(extended, suite_settings(), urls) as assembly:
        yield World(assembly)


async def item_of(tenant: TestTenant) -> str:
    made = await tenant.owner.post("/items", json={"name": f"{tenant.canary}.item", "price_cents": 50})
    return str(made.json()["id"])


async def discount(client: AsyncClient, item: str) -> int:
    return (await client.post(f"/item-commands/{item}/discount", json={"percent": 10})).status_code


async def deny(tenant: TestTenant, item: str, role: str, action: str) -> None:
    body = {"subject_type": "role", "subject_id": role, "action": action, "effect": "deny"}
    assert (await tenant.owner.post(f"/items/{item}/grants", json=body)).status_code == 201


class TestOnARecord:
    async def test_the_method_runs_for_who_may_and_its_change_is_committed(self, commanded: World):
        tenant = await commanded.tenant()
        item = await item_of(tenant)
        assert await discount(tenant.owner, item) == 200
        assert (await tenant.viewer.get(f"/items/{item}")).json()["price_cents"] == 90

    async def test_who_sees_it_but_may_not_gets_403_and_others_404(self, commanded: World):
        tenant, other = await commanded.two_tenants()
        item = await item_of(tenant)
        assert await discount(tenant.viewer, item) == 403
        assert await discount(other.owner, item) == 404
        assert await discount(tenant.owner, str(uuid.uuid4())) == 404
        assert await discount(tenant.owner, "no-id") == 422

    async def test_grants_decide_here_as_everywhere(self, commanded: World):
        tenant = await commanded.tenant()
        item = await item_of(tenant)
        await deny(tenant, item, "owner", "items:update")
        assert await discount(tenant.owner, item) == 403
        await deny(tenant, item, "owner", "items:read")
        assert await discount(tenant.owner, item) == 404

    async def test_an_allow_always_role_passes_whatever_grants_say(self, commanded: World):
        tenant = await commanded.tenant()
        item = await item_of(tenant)
        await deny(tenant, item, "manager", "items:*")
        assert (await tenant.manager.get(f"/items/{item}")).status_code == 404
        assert (await tenant.manager.post(f"/item-commands/{item}/look")).json() == {"seen": item}


class TestAdministeringGrants:
    async def test_who_is_named_by_a_controller_administers_the_grants_of_its_resource(self, commanded: World):
        tenant = await commanded.tenant()
        item = await item_of(tenant)
        body = {"subject_type": "role", "subject_id": "viewer", "action": "items:update", "effect": "deny"}
        assert (await tenant.member.post(f"/items/{item}/grants", json=body)).status_code == 403
        assert (await tenant.manager.post(f"/items/{item}/grants", json=body)).status_code == 201
        assert (await tenant.owner.get(f"/items/{item}/grants")).json()["items"][0]["effect"] == "deny"

    async def test_and_those_of_no_other(self, commanded: World):
        tenant = await commanded.tenant()
        project = (await tenant.owner.post("/projects", json={"name": tenant.canary})).json()["id"]
        assert (await tenant.manager.get(f"/projects/{project}/grants")).status_code == 403


class TestRepeating:
    """A POST with an `Idempotency-Key`."""

    async def send(self, client: AsyncClient, item: str, percent: int = 10) -> Response:
        headers = {"Idempotency-Key": "once"}
        return await client.post(f"/item-commands/{item}/discount", json={"percent": percent}, headers=headers)

    async def test_sent_at_once_the_method_runs_once_and_everybody_gets_its_answer(self, commanded: World):
        tenant = await commanded.tenant()
        item = await item_of(tenant)
        answers = await asyncio.gather(*(self.send(tenant.owner, item) for _ in range(5)))
        assert {(one.status_code, one.content) for one in answers} == {(200, answers[0].content)}
        assert (answers[0].json()["id"], answers[0].json()["price_cents"]) == (item, 90)
        lines = (await tenant.owner.get("/activity?filter[action]=items.discounted")).json()["items"]
        assert [line["resource_id"] for line in lines] == [item]

    async def test_another_body_is_refused_and_another_tenant_has_keys_of_its_own(self, commanded: World):
        tenant, other = await commanded.two_tenants()
        item, foreign = await item_of(tenant), await item_of(other)
        assert (await self.send(tenant.owner, item)).status_code == 200
        reused = await self.send(tenant.owner, item, percent=20)
        assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")
        assert (await self.send(other.owner, foreign, percent=20)).json()["price_cents"] == 80

    async def test_who_lost_the_right_is_not_told_again(self, commanded: World):
        tenant = await commanded.tenant()
        item = await item_of(tenant)
        assert (await self.send(tenant.owner, item)).status_code == 200
        await deny(tenant, item, "owner", "items:update")
        assert (await self.send(tenant.owner, item)).status_code == 403
        await deny(tenant, item, "owner", "items:read")
        assert (await self.send(tenant.owner, item)).status_code == 404

    async def test_there_may_be_nothing_to_say_again(self, commanded: World):
        tenant = await commanded.tenant()
        path = f"/item-commands/{await item_of(tenant)}/forget"
        answers = [await tenant.owner.post(path, headers={"Idempotency-Key": "n"}) for _ in range(2)]
        assert [(one.status_code, one.content) for one in answers] == [(204, b"")] * 2

    async def test_a_file_is_sent_and_takes_no_key(self, commanded: World):
        tenant = await commanded.tenant()
        item = await item_of(tenant)
        answer = await tenant.owner.post(f"/item-commands/{item}/print", headers={"Idempotency-Key": "f"})
        assert (answer.text, answer.headers["content-type"]) == (f"item {item}", "text/plain; charset=utf-8")
        declared = commanded.app.openapi()["paths"]["/api/v1/item-commands/{id}/print"]["post"]["parameters"]
        assert "Idempotency-Key" not in [one["name"] for one in declared]

    def test_the_header_is_in_the_document_of_a_post_alone(self, commanded: World):
        paths = commanded.app.openapi()["paths"]
        sent = paths["/api/v1/item-commands/{id}/discount"]["post"]["parameters"]
        assert "Idempotency-Key" in [one["name"] for one in sent]
        asked = paths["/api/v1/item-commands/report"]["get"].get("parameters", [])
        assert "Idempotency-Key" not in [one["name"] for one in asked]


class TestOnTheResource:
    async def test_who_may_nowhere_is_refused(self, commanded: World):
        tenant = await commanded.tenant()
        assert (await tenant.owner.get("/item-commands/report")).json() == {"tenant": tenant.slug}
        assert (await tenant.member.get("/item-commands/report")).status_code == 403


class TestDeclaring:
    def test_a_class_without_endpoints_is_refused(self):
        with pytest.raises(ConfigurationError, match="at least one"):
            scope("/empty", access=ItemService.resource.access)(type("Empty", (Controller,), {}))

    def test_a_path_with_a_record_needs_its_id(self):
        class Wrong(Controller):
            @endpoint("/{id}/paint", verb="update")
            async def paint(self) -> None: ...

        with pytest.raises(ConfigurationError, match="id: UUID"):
            scope("/wrong", access=ItemService.resource.access)(Wrong)

    def test_every_endpoint_is_in_the_document(self, commanded: World):
        paths = commanded.app.openapi()["paths"]
        assert paths["/api/v1/item-commands/{id}/discount"]["post"]["operationId"] == "items_discount"
