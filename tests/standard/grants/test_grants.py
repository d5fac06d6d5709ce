"""Grants over HTTP: who may give them, what they change, and how fast."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from httpx2 import AsyncClient, Response
from sqlalchemy import func, select

from tenantry.access import Grant
from tenantry.database import Placement, Statement
from tenantry.kernel import SYSTEM
from tenantry.tenancy import Role
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio


async def project_of(tenant: TestTenant) -> str:
    answer = await tenant.owner.post("/projects", json={"name": f"{tenant.canary}.project"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def item_of(tenant: TestTenant) -> str:
    answer = await tenant.owner.post("/items", json={"name": f"{tenant.canary}.item", "price_cents": 5})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def give(tenant: TestTenant, where: str, **asked: Any) -> Response:
    subject = {"subject_type": "user", "subject_id": str(tenant.people[Role.MEMBER])}
    return await tenant.owner.post(f"{where}/grants", json=subject | asked)


async def status(client: AsyncClient, path: str) -> int:
    return (await client.get(path)).status_code


async def listed(client: AsyncClient, path: str) -> set[str]:
    answer = await client.get(f"{path}?with_total=true")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["page"]["total"] == len(body["items"])
    return {item["id"] for item in body["items"]}


class TestOnARecord:
    async def test_a_deny_hides_the_record_from_item_list_count_and_children(self, world: World):
        tenant = await world.tenant()
        hidden, seen = await project_of(tenant), await project_of(tenant)
        task = (await tenant.owner.post(f"/projects/{hidden}/tasks", json={"title": tenant.canary})).json()["id"]
        answer = await give(tenant, f"/projects/{hidden}", action="projects:read", effect="deny")
        assert answer.status_code == 201, answer.text
        assert await listed(tenant.member, "/projects") == {seen}
        assert await status(tenant.member, f"/projects/{hidden}") == 404
        assert await status(tenant.member, f"/tasks/{task}") == 404
        assert await status(tenant.member, f"/projects/{hidden}/tasks") == 404
        assert await listed(tenant.member, "/tasks") == set()
        assert await listed(tenant.viewer, "/projects") == {hidden, seen}

    async def test_an_allow_lets_somebody_do_what_the_role_does_not(self, world: World):
        tenant = await world.tenant()
        project, other = await project_of(tenant), await project_of(tenant)
        path = f"/projects/{project}"
        assert (await tenant.member.patch(path, json={"name": tenant.canary})).status_code == 403
        answer = await give(tenant, path, action="projects:update", effect="allow")
        assert answer.status_code == 201, answer.text
        assert (await tenant.member.patch(path, json={"name": tenant.canary})).status_code == 200
        assert (await tenant.member.patch(f"/projects/{other}", json={"name": tenant.canary})).status_code == 403

    async def test_a_deny_stands_above_an_allow_and_is_taken_back(self, world: World):
        tenant = await world.tenant()
        path = f"/projects/{await project_of(tenant)}"
        await give(tenant, path, action="projects:update", effect="allow")
        denied = await give(tenant, path, action="projects:*", subject_type="role", subject_id="member", effect="deny")
        assert await status(tenant.member, path) == 404
        taken = await tenant.owner.delete(f"{path}/grants/{denied.json()['id']}")
        assert taken.status_code == 204
        assert (await tenant.member.patch(path, json={"name": tenant.canary})).status_code == 200

    async def test_an_owner_who_is_denied_can_still_take_the_deny_back(self, world: World):
        tenant = await world.tenant()
        path = f"/projects/{await project_of(tenant)}"
        denied = await give(tenant, path, action="projects:*", subject_type="role", subject_id="owner", effect="deny")
        assert denied.status_code == 201, denied.text
        assert await status(tenant.owner, path) == 404
        assert (await tenant.owner.delete(f"{path}/grants/{denied.json()['id']}")).status_code == 204
        assert await status(tenant.owner, path) == 200

    async def test_a_grant_on_a_project_holds_for_tasks_where_it_names_them(self, world: World):
        tenant = await world.tenant()
        project = await project_of(tenant)
        viewer = {"subject_type": "user", "subject_id": str(tenant.people[Role.VIEWER])}
        new = {"title": tenant.canary}
        assert (await tenant.viewer.post(f"/projects/{project}/tasks", json=new)).status_code == 403
        answer = await give(tenant, f"/projects/{project}", action="tasks:create", effect="allow", **viewer)
        assert answer.status_code == 201, answer.text
        assert (await tenant.viewer.post(f"/projects/{project}/tasks", json=new)).status_code == 201
        elsewhere = await project_of(tenant)
        assert (await tenant.viewer.post(f"/projects/{elsewhere}/tasks", json=new)).status_code == 403
        assert (await tenant.viewer.post(f"/projects/{uuid.uuid4()}/tasks", json=new)).status_code == 404

    async def test_only_administrators_give_and_see_grants(self, world: World):
        tenant, other = await world.two_tenants()
        path = f"/projects/{await project_of(tenant)}/grants"
        body = {"subject_type": "role", "subject_id": "viewer", "action": "projects:update", "effect": "allow"}
        for client in (tenant.manager, tenant.member, tenant.viewer):
            assert (await client.post(path, json=body)).status_code == 403
            assert await status(client, path) == 403
        assert (await other.owner.post(path, json=body)).status_code == 404
        assert await status(other.owner, path) == 404

    @pytest.mark.parametrize(
        ("wrong", "pointer"),
        [
            ({"action": "projects:paint"}, "/action"),
            ({"action": "items:read"}, "/action"),
            ({"action": "projects:update:own"}, "/action"),
            ({"action": "projects:grant"}, "/action"),
            ({"action": "projects:budget"}, "/action"),
            ({"subject_id": "3b4a2a58-7b1c-4a55-9a3c-0b8f6c1d2e3f"}, "/subject_id"),
            ({"subject_type": "role", "subject_id": "emperor"}, "/subject_id"),
            ({"subject_type": "agent"}, "/subject_id"),
            ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
            ({"effect": "maybe"}, "/effect"),
        ],
    )
    async def test_what_makes_no_sense_is_refused_with_its_place(
        self, world: World, wrong: dict[str, str], pointer: str
    ):
        tenant = await world.tenant()
        asked = {"action": "projects:update", "effect": "allow"} | wrong
        answer = await give(tenant, f"/projects/{await project_of(tenant)}", **asked)
        assert answer.status_code == 422, answer.text
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]

    async def test_the_same_grant_twice_is_a_conflict(self, world: World):
        tenant = await world.tenant()
        path = f"/projects/{await project_of(tenant)}"
        assert (await give(tenant, path, action="projects:update")).status_code == 201
        answer = await give(tenant, path, action="projects:update")
        assert (answer.status_code, answer.json()["code"]) == (409, "grant_exists")

    async def test_somebody_of_another_tenant_is_an_unknown_subject(self, world: World):
        tenant, other = await world.two_tenants()
        path = f"/projects/{await project_of(tenant)}"
        foreign = {"subject_type": "user", "subject_id": str(other.people[Role.MEMBER])}
        answer = await give(tenant, path, action="projects:update", **foreign)
        assert (answer.status_code, answer.json()["code"]) == (422, "unknown_subject")


class TestWhatIsToldAboutRecords:
    async def test_activity_and_statistics_tell_nothing_of_what_is_denied(self, world: World):
        tenant = await world.tenant()
        hidden, seen = await project_of(tenant), await project_of(tenant)
        task = (await tenant.owner.post(f"/projects/{hidden}/tasks", json={"title": tenant.canary})).json()["id"]
        role = {"subject_type": "role", "subject_id": "manager"}
        await give(tenant, f"/projects/{hidden}", action="projects:read", effect="deny", **role)
        told = (await tenant.manager.get("/activity?with_total=true&page_size=200")).json()
        about = {line["resource_id"] for line in told["items"]}
        assert seen in about
        assert not {hidden, task} & about
        assert told["page"]["total"] == len(told["items"])
        assert {hidden, task} <= {
            line["resource_id"] for line in (await tenant.owner.get("/activity?page_size=200")).json()["items"]
        }
        owner = {"subject_type": "role", "subject_id": "owner"}
        await give(tenant, f"/projects/{hidden}", action="projects:read", effect="deny", **owner)
        stats = (await tenant.owner.get("/stats")).json()
        assert (stats["projects"], stats["open_tasks"]) == ({"draft": 1}, 0)


class TestPurging:
    async def test_grants_go_with_their_record(self, world: World):
        tenant = await world.tenant()
        path = f"/items/{await item_of(tenant)}"
        assert (await give(tenant, path, action="items:update")).status_code == 201
        assert (await tenant.owner.delete(f"{path}?hard=true")).status_code == 204
        scope = world.assembly.runtime.database.tenant_scope(tenant.id, Placement.pool(), actor=SYSTEM, request_id=None)
        async with scope as uow:
            assert await uow.value(Statement(select(func.count()).select_from(Grant))) == 0


class TestOwningByTeam:
    async def test_a_project_of_a_team_is_the_own_project_of_everybody_in_it(self, world: World):
        tenant, other = await world.two_tenants()
        member = str(tenant.people[Role.MEMBER])
        path = f"/projects/{await project_of(tenant)}"
        team = (await tenant.owner.post("/teams", json={"name": tenant.canary})).json()["id"]
        foreign = (await other.owner.post("/teams", json={"name": other.canary})).json()["id"]
        refused = await tenant.owner.post(f"{path}/transfer", json={"owner_id": foreign})
        assert (refused.status_code, refused.json()["code"]) == (422, "new_owner_not_member")
        assert (await tenant.owner.post(f"{path}/transfer", json={"owner_id": team})).json()["owner_id"] == team
        assert (await tenant.member.patch(path, json={"name": tenant.canary})).status_code == 403
        joined = await tenant.owner.post(f"/teams/{team}/members", json={"user_id": member})
        assert joined.status_code == 201, joined.text
        assert (await tenant.member.patch(path, json={"name": tenant.canary})).status_code == 200
        assert (await tenant.owner.delete(f"/teams/{team}/members/{member}")).status_code == 204
        assert (await tenant.member.patch(path, json={"name": tenant.canary})).status_code == 403


class TestRestrictedFields:
    async def test_the_budget_is_for_managers_wherever_it_could_show(self, world: World):
        tenant = await world.tenant()
        new = {"name": tenant.canary, "budget_cents": 1147114711}
        made = await tenant.manager.post("/projects", json=new)
        assert made.json()["budget_cents"] == 1147114711
        path = f"/projects/{made.json()['id']}"
        for client in (tenant.member, tenant.viewer):
            for where in (path, "/projects", "/projects?fields=name"):
                assert "budget" not in (await client.get(where)).text
            for query in ("sort=budget_cents", "filter[budget_cents]=1147114711", "fields=budget_cents"):
                assert (await client.get(f"/projects?{query}")).status_code == 400, query
        refused = await tenant.member.post("/projects", json=new)
        assert (refused.status_code, refused.json()["code"]) == (403, "field_not_permitted")
        own = (await tenant.member.post("/projects", json={"name": tenant.canary})).json()
        assert "budget_cents" not in own
        assert (await tenant.manager.patch(f"/projects/{own['id']}", json={"budget_cents": 5})).status_code == 200
        changed = await tenant.member.put(f"/projects/{own['id']}", json={"name": f"{tenant.canary}.2"})
        assert changed.status_code == 200, changed.text
        assert (await tenant.manager.get(f"/projects/{own['id']}")).json()["budget_cents"] == 5
        assert "1147114711" not in (await tenant.manager.get("/activity")).text


class TestLeaving:
    async def test_who_comes_back_has_none_of_the_old_grants(self, world: World):
        tenant = await world.tenant()
        path = f"/projects/{await project_of(tenant)}"
        member = str(tenant.people[Role.MEMBER])
        await give(tenant, path, action="projects:update")
        everywhere = {"resource_type": "project", "subject_type": "user", "subject_id": member}
        await tenant.owner.post("/grants", json=everywhere | {"action": "projects:delete"})
        assert (await tenant.member.patch(path, json={"name": tenant.canary})).status_code == 200
        assert (await tenant.owner.delete(f"/members/{member}")).status_code == 204
        await tenant.join(tenant.people[Role.MEMBER])
        assert (await tenant.member.patch(path, json={"name": tenant.canary})).status_code == 403
        assert (await tenant.member.delete(path)).status_code == 403
        assert await listed(tenant.owner, f"{path}/grants") == set()
        assert await listed(tenant.owner, "/grants") == set()


class TestOnAWholeResource:
    async def test_an_allow_adds_and_a_deny_takes_away_for_every_record(self, world: World):
        tenant, other = await world.two_tenants()
        path = f"/projects/{await project_of(tenant)}"
        everywhere = {"resource_type": "project", "subject_type": "role", "subject_id": "viewer"}
        allow = await tenant.owner.post("/grants", json=everywhere | {"action": "projects:update", "effect": "allow"})
        assert allow.status_code == 201, allow.text
        assert (await tenant.viewer.patch(path, json={"name": tenant.canary})).status_code == 200
        deny = await tenant.owner.post("/grants", json=everywhere | {"action": "projects:*", "effect": "deny"})
        assert deny.status_code == 201, deny.text
        assert await status(tenant.viewer, path) == 404
        assert await status(tenant.viewer, "/projects") == 403
        assert await status(other.viewer, "/projects") == 200
        assert await listed(tenant.owner, "/grants") == {allow.json()["id"], deny.json()["id"]}
        assert (await tenant.owner.delete(f"/grants/{deny.json()['id']}")).status_code == 204
        assert await status(tenant.viewer, path) == 200

    async def test_others_neither_see_nor_give_them(self, world: World):
        tenant = await world.tenant()
        body = {
            "resource_type": "project",
            "subject_type": "user",
            "subject_id": str(tenant.people[Role.MEMBER]),
            "action": "projects:*",
        }
        for client in (tenant.manager, tenant.member, tenant.viewer):
            assert (await client.post("/grants", json=body)).status_code == 403
            assert await status(client, "/grants") == 403

    async def test_an_unknown_resource_is_named(self, world: World):
        tenant = await world.tenant()
        body = {"resource_type": "rocket", "subject_type": "role", "subject_id": "viewer", "action": "projects:*"}
        answer = await tenant.owner.post("/grants", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "unknown_resource")
