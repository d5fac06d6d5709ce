"""Who may ask for explanations of what, that nobody learns from them what is there, and that they come true."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from httpx2 import AsyncClient, Response
from sqlalchemy import Uuid, bindparam, null, update
from tests.standard.explain.explaining import explained, given, made, of_member, project_of, refusal, task_of, team_of

from planner.projects.models import Project
from planner.tasks.models import Task
from tenantry.database import Placement, PlacementKind, Statement
from tenantry.kernel import SYSTEM
from tenantry.tenancy import Role
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio


async def asked(client: AsyncClient, action: str = "projects:read", **parameters: str) -> Response:
    return await client.get("/access/explain", params={"action": action} | parameters)


def without_ids(answer: Response, *ids: str) -> str:
    text = answer.text.replace(answer.json()["request_id"], "")
    for one in ids:
        text = text.replace(one, "ID")
    return text


class TestWhoMayAsk:
    @pytest.mark.parametrize("role", [Role.MANAGER, Role.MEMBER, Role.VIEWER])
    async def test_lower_roles_ask_about_themselves_alone(self, world: World, role: Role):
        tenant, other = await world.two_tenants()
        client, own = tenant.as_(role), str(tenant.people[role])
        assert (await explained(client, "projects:read"))["subject"]["id"] == own
        assert (await explained(client, "projects:read", user_id=own))["subject"]["id"] == own
        account = await made(tenant.owner, "/service-accounts", name="Robot", role="viewer")
        key = await made(tenant.owner, "/api-keys", name="CI")
        for about in (
            {"user_id": str(tenant.people[Role.OWNER])},
            {"user_id": str(other.people[role])},
            {"user_id": str(uuid4())},
            {"service_account_id": account["id"]},
            {"service_account_id": str(uuid4())},
            {"api_key_id": key["id"]},
            {"api_key_id": str(uuid4())},
        ):
            assert refusal(await asked(client, **about)) == (403, "not_permitted")
        assert refusal(await client.get("/access/who-can?action=projects:read")) == (403, "not_permitted")

    async def test_the_permission_to_explain_is_enough_to_ask_about_anybody(self, world: World):
        tenant = await world.tenant()
        await made(tenant.owner, "/roles", name="support", permissions=["access:explain"])
        await tenant.owner.patch(f"/members/{tenant.people[Role.VIEWER]}", json={"role": "support"})
        project = await project_of(tenant.owner, tenant)
        found = await explained(
            tenant.viewer, "projects:read", user_id=str(tenant.people[Role.OWNER]), resource_id=project
        )
        assert (found["allowed"], found["decided_by"], found["role"]) == (True, "role", "owner")
        assert (await tenant.viewer.get("/access/who-can?action=projects:read")).status_code == 200

    async def test_ones_own_key_may_be_asked_about(self, world: World):
        tenant = await world.tenant()
        key = await made(tenant.member, "/api-keys", name="CI", permissions=["projects:read"])
        found = await explained(tenant.member, "projects:create", api_key_id=key["id"])
        assert (found["allowed"], found["decided_by"]) == (False, "key_scope")

    async def test_a_key_without_the_permission_asks_for_its_holder_alone(self, world: World):
        tenant = await world.tenant()
        key = await made(tenant.owner, "/api-keys", name="CI", permissions=["projects:read"])
        client = world.client({"X-API-Key": key["secret"]})
        assert refusal(await asked(client, user_id=str(tenant.people[Role.MEMBER]))) == (403, "not_permitted")
        assert (await client.get("/access/who-can?action=projects:read")).status_code == 403

    async def test_nobody_asks_without_signing_in(self, world: World):
        tenant = await world.tenant()
        for path in ("/access/explain", "/access/who-can"):
            client = world.client({"X-Tenant-Id": str(tenant.id)})
            assert (await client.get(f"{path}?action=nonsense")).status_code == 401


class TestWhatNobodyLearns:
    async def test_foreign_hidden_deleted_and_made_up_records_answer_alike(self, world: World):
        tenant, other = await world.two_tenants()
        hidden, deleted = await project_of(tenant.owner, tenant), await project_of(tenant.owner, tenant)
        await given(tenant, f"/projects/{hidden}", "projects:read", "deny")
        assert (await tenant.owner.delete(f"/projects/{deleted}")).status_code == 204
        below = await task_of(tenant.owner, tenant, hidden)
        foreign, nowhere = await project_of(other.owner, other), str(uuid4())
        for action in ("projects:read", "projects:update"):
            answers = [
                await asked(tenant.member, action, resource_id=one) for one in (hidden, deleted, foreign, nowhere)
            ]
            bodies = {without_ids(answer, hidden, deleted, foreign, nowhere) for answer in answers}
            assert {refusal(answer) for answer in answers} == {(404, "not_found")}
            assert len(bodies) == 1
        assert refusal(await asked(tenant.member, "tasks:update", resource_id=below)) == (404, "not_found")
        assert (
            refusal(await asked(tenant.member, "tasks:create", resource_type="project", resource_id=hidden))[0] == 404
        )

    async def test_foreign_ids_answer_an_owner_like_made_up_ones(self, world: World):
        tenant, other = await world.two_tenants()
        foreign_project = await project_of(other.owner, other)
        foreign_account = await made(other.owner, "/service-accounts", name="Robot", role="viewer")
        foreign_key = await made(other.member, "/api-keys", name="CI")
        for parameter, foreign, code in (
            ("resource_id", foreign_project, "not_found"),
            ("user_id", str(other.people[Role.MEMBER]), "member_not_found"),
            ("service_account_id", foreign_account["id"], "service_account_not_found"),
            ("api_key_id", foreign_key["id"], "api_key_not_found"),
        ):
            nowhere = str(uuid4())
            answers = [await asked(tenant.owner, **{parameter: one}) for one in (foreign, nowhere)]
            assert [refusal(answer) for answer in answers] == [(404, code)] * 2
            assert len({without_ids(answer, foreign, nowhere) for answer in answers}) == 1
        for one in (foreign_project, str(uuid4())):
            answer = await tenant.owner.get(f"/access/who-can?action=projects:read&resource_id={one}")
            assert refusal(answer) == (404, "not_found")
        for after in (other.people[Role.MEMBER], uuid4()):
            answer = await tenant.owner.get(f"/access/who-can?action=projects:read&after={after}")
            assert refusal(answer) == (400, "unknown_position")

    async def test_it_works_alike_in_a_schema_of_the_tenants_own(self, world: World):
        tenant, other = await world.two_tenants(placement=PlacementKind.SCHEMA)
        project = await project_of(tenant.owner, tenant)
        grant = await given(tenant, f"/projects/{project}", "projects:update", "allow")
        assert (await of_member(tenant, "projects:update", project))["grant"]["id"] == grant
        assert refusal(await asked(other.owner, "projects:update", resource_id=project)) == (404, "not_found")


class TestQuestionsThatMakeNoSense:
    @pytest.mark.parametrize(
        ("parameters", "pointer"),
        [
            ({"action": "projects:paint"}, "?action"),
            ({"action": "projects:*"}, "?action"),
            ({"action": "projects:update:own"}, "?action"),
            ({"action": "nonsense"}, "?action"),
            ({"action": ""}, "?action"),
            ({"action": "a" * 10_000}, "?action"),
            ({"action": "projects:read\x00"}, "?action"),
            ({"action": "projects:read", "resource_type": "unicorn"}, "?resource_type"),
            ({"action": "projects:read", "resource_type": "task"}, "?resource_type"),
            ({"action": "members:read", "resource_type": "project"}, "?resource_type"),
            ({"action": "projects:read", "resource_id": "1"}, "?resource_id"),
            ({"action": "projects:create", "resource_id": str(uuid4())}, "?resource_id"),
            ({"action": "tasks:create", "resource_id": str(uuid4())}, "?resource_id"),
            ({"action": "members:read", "resource_id": str(uuid4())}, "?resource_id"),
            ({"action": "projects:read", "user_id": "ann"}, "?user_id"),
            ({"action": "projects:read", "user_id": str(uuid4()), "api_key_id": str(uuid4())}, "?user_id"),
        ],
    )
    async def test_they_are_refused_with_their_place(self, world: World, parameters: dict[str, str], pointer: str):
        tenant = await world.tenant()
        answer = await tenant.owner.get("/access/explain", params=parameters)
        assert answer.status_code == 400, answer.text
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
        if pointer != "?user_id":
            assert (await tenant.owner.get("/access/who-can", params=parameters)).status_code == 400

    async def test_garbage_is_never_a_fault(self, world: World):
        tenant, dice = await world.tenant(), random.Random(7)
        words = ["", "\x00", "💥" * 9, "projects:read", "project", "%ff", "'--", str(uuid4()), "9" * 99, "[]", "-1"]
        names = ["action", "resource_type", "resource_id", "user_id", "service_account_id", "limit", "after", "x"]
        for _ in range(150):
            params = [(dice.choice(names), dice.choice(words)) for _ in range(dice.randint(0, 5))]
            for path in ("/access/explain", "/access/who-can"):
                answer = await tenant.owner.get(path, params=params)
                assert answer.status_code < 500, (path, params, answer.text)
        for query in (
            "action=%ff",
            "action=projects%3Aread&user_id=%ff%fe",
            "action=%00",
            "limit=0&action=projects:read",
        ):
            for path in ("/access/explain", "/access/who-can"):
                assert (await tenant.owner.get(f"{path}?{query}")).status_code in (200, 400)


class TestWhoCan:
    async def test_it_names_everybody_who_may_with_the_line_that_lets_them(self, world: World):
        tenant = await world.tenant()
        project = await project_of(tenant.member, tenant)
        account = await made(tenant.owner, "/service-accounts", name="Robot", role="viewer")
        await given(tenant, f"/projects/{project}", "projects:update", "allow",
                    subject_type="service_account", subject_id=account["id"])  # fmt: skip
        await given(tenant, f"/projects/{project}", "projects:update", "deny",
                    subject_type="role", subject_id="owner")  # fmt: skip
        answer = await tenant.owner.get(f"/access/who-can?action=projects:update&resource_id={project}")
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert [(one["name"], one["subject_type"], one["decided_by"], one["role"]) for one in body["subjects"]] == [
            ("Robot", "service_account", "allow_grant", None),
            ("manager-a", "user", "role", "manager"),
            ("member-a", "user", "ownership", "member"),
        ]
        assert (body["has_more"], body["next_after"]) == (False, None)
        assert all(one["reason"].startswith("Allowed: ") for one in body["subjects"])

    async def test_pages_follow_one_another_without_gaps(self, world: World):
        tenant = await world.tenant()
        for number in range(5):
            await made(tenant.owner, "/service-accounts", name=f"Robot {number}", role="viewer")
        whole = (await tenant.owner.get("/access/who-can?action=items:read")).json()["subjects"]
        assert [one["name"] for one in whole] == sorted(one["name"] for one in whole)
        assert len(whole) == 9
        found: list[dict[str, Any]] = []
        after = ""
        for _ in range(5):
            page = (await tenant.owner.get(f"/access/who-can?action=items:read&limit=2{after}")).json()
            found += page["subjects"]
            after = f"&after={page['next_after']}"
            assert page["has_more"] is (len(found) < 9)
        assert found == whole

    async def test_nobody_may_what_everybody_is_denied(self, world: World):
        tenant = await world.tenant()
        for role in Role:
            await given(tenant, "item", "items:read", "deny", subject_type="role", subject_id=role.value)
        page = (await tenant.owner.get("/access/who-can?action=items:read")).json()
        assert page == {"subjects": [], "has_more": False, "next_after": None}

    async def test_nobody_may_anything_with_what_is_deleted(self, world: World):
        tenant = await world.tenant()
        project = await project_of(tenant.owner, tenant)
        assert (await tenant.owner.delete(f"/projects/{project}")).status_code == 204
        page = await tenant.owner.get(f"/access/who-can?action=projects:read&resource_id={project}")
        assert (page.status_code, page.json()["subjects"]) == (200, [])

    async def test_whoever_creates_something_is_asked_about_the_new_record(self, world: World):
        tenant = await world.tenant()
        project = await project_of(tenant.owner, tenant)
        await given(
            tenant, f"/projects/{project}", "projects:read", "deny", subject_id=str(tenant.people[Role.MANAGER])
        )
        path = f"/access/who-can?action=tasks:create&resource_type=project&resource_id={project}"
        page = (await tenant.owner.get(path)).json()
        assert [one["name"] for one in page["subjects"]] == ["member-a", "owner-a"]


@dataclass(frozen=True)
class Cell:
    """Somebody, a verb and a record, and the request that does it."""

    caller: str
    action: str
    record: str
    type: str
    method: str
    path: str


_BACK = {
    table: Statement(update(table).where(table.__table__.c.id == bindparam("id", type_=Uuid)).values(deleted_at=null()))
    for table in (Project, Task)
}


@dataclass(frozen=True)
class Caller:
    """Somebody who acts, and how they are asked about."""

    client: AsyncClient
    about: dict[str, str]


async def _callers(tenant: TestTenant) -> dict[str, Caller]:
    """Everybody of the tenant, a key of the member's with a scope, and a service account with one."""
    found = {role.value: Caller(tenant.as_(role), {"user_id": str(tenant.people[role])}) for role in Role}
    robot = await made(tenant.owner, "/service-accounts", name="Robot", role="manager")
    scope = ["projects:read", "tasks:read", "tasks:update", "tasks:delete:own", "projects:update:own"]
    keys = {
        "key": await made(tenant.member, "/api-keys", name="key", permissions=scope),
        "robot": await made(
            tenant.owner, "/api-keys", name="robot", service_account_id=robot["id"], permissions=["projects:*"]
        ),
    }
    clients = {name: tenant.world.client({"X-API-Key": key["secret"]}) for name, key in keys.items()}
    return found | {name: Caller(clients[name], {"api_key_id": key["id"]}) for name, key in keys.items()}


def _cells(projects: Iterable[str], tasks: Iterable[str], callers: Iterable[str]) -> list[Cell]:
    cells = []
    for caller in callers:
        for one in projects:
            path = f"/projects/{one}"
            cells += [Cell(caller, f"projects:{verb}", one, "project", method, path) for verb, method in _VERBS.items()]
            cells.append(Cell(caller, "tasks:create", one, "project", "POST", f"{path}/tasks"))
        for one in tasks:
            path = f"/tasks/{one}"
            cells += [Cell(caller, f"tasks:{verb}", one, "task", method, path) for verb, method in _VERBS.items()]
            cells.append(Cell(caller, "comments:create", one, "task", "POST", f"{path}/comments"))
    return cells


_MAKERS = (Role.OWNER, Role.MANAGER, Role.MEMBER)
_VERBS = {"read": "GET", "update": "PATCH", "delete": "DELETE"}
_BODIES = {"projects:update": "name", "tasks:update": "title", "tasks:create": "title", "comments:create": "body"}


class TestAgreement:
    """What is explained is what happens: random grants, then every cell asked and tried."""

    @pytest.mark.parametrize("seed", [1, 2])
    async def test_with_the_routes(self, world: World, seed: int):
        dice, tenant = random.Random(seed), await world.tenant()
        projects = [await project_of(tenant.as_(dice.choice(_MAKERS)), tenant) for _ in range(6)]
        tasks = [await task_of(tenant.as_(dice.choice(_MAKERS)), tenant, dice.choice(projects)) for _ in range(6)]
        await self._scatter(dice, tenant, projects=projects, tasks=tasks)
        callers, seen = await _callers(tenant), set()
        cells = dice.sample(_cells(projects, tasks, callers), 150)
        for cell in cells:
            told = await explained(
                tenant.owner,
                cell.action,
                resource_type=cell.type,
                resource_id=cell.record,
                **callers[cell.caller].about,
            )
            answer = await self._try(tenant, callers[cell.caller].client, cell)
            happened = {200: True, 201: True, 204: True, 403: False, 404: False}[answer.status_code]
            assert told["allowed"] is happened, (cell, told["reason"], answer.text)
            assert told["visible"]["allowed"] is (answer.status_code != 404), (cell, told["visible"], answer.text)
            seen.add((told["decided_by"], happened))
        assert len(seen) >= 5, seen

    @pytest.mark.parametrize("seed", [3])
    async def test_with_who_can(self, world: World, seed: int):
        dice, tenant = random.Random(seed), await world.tenant()
        projects = [await project_of(tenant.as_(dice.choice(_MAKERS)), tenant) for _ in range(4)]
        tasks = [await task_of(tenant.owner, tenant, dice.choice(projects)) for _ in range(4)]
        await self._scatter(dice, tenant, projects=projects, tasks=tasks)
        for cell in dice.sample(_cells(projects, tasks, [""]), 25):
            asked_for = {"action": cell.action, "resource_type": cell.type, "resource_id": cell.record}
            page = await tenant.owner.get("/access/who-can", params=asked_for)
            assert page.status_code == 200, page.text
            may = {one["subject_id"]: (one["decided_by"], one["reason"]) for one in page.json()["subjects"]}
            for user in tenant.people.values():
                told = await explained(tenant.owner, **asked_for, user_id=str(user))
                assert told["allowed"] is (str(user) in may)
                assert not told["allowed"] or may[str(user)] == (told["decided_by"], told["reason"])

    async def _scatter(self, dice: random.Random, tenant: TestTenant, *, projects: list[str], tasks: list[str]) -> None:
        """Give grants to people, roles and teams, on records, on those above, and on whole resources."""
        top = await team_of(tenant, "Top")
        below = await team_of(tenant, "Below", Role.VIEWER, Role.MEMBER, parent_id=top)
        to = [("user", str(one)) for one in tenant.people.values()]
        to += [("role", role.value) for role in Role] + [("team", top), ("team", below)]
        wanted = [(*dice.choice(to), number) for number in range(18)]
        for kind, subject, number in wanted:
            where = dice.choice([f"/projects/{one}" for one in projects] + [f"/tasks/{one}" for one in tasks])
            verbs = ["tasks:read", "tasks:update", "tasks:delete", "comments:create", "tasks:*"]
            if where.startswith("/projects"):
                verbs += ["projects:read", "projects:update", "projects:delete", "tasks:create", "projects:*"]
            effect = "deny" if number % 3 == 0 else "allow"
            body = {"subject_type": kind, "subject_id": subject, "action": dice.choice(verbs), "effect": effect}
            assert (await tenant.owner.post(f"{where}/grants", json=body)).status_code in (201, 409)
        whole = {"subject_type": "team", "subject_id": top, "action": "tasks:delete", "effect": "allow"}
        assert (await tenant.owner.post("/grants", json={"resource_type": "task", **whole})).status_code == 201

    async def _try(self, tenant: TestTenant, client: AsyncClient, cell: Cell) -> Response:
        """Do it; what was deleted is there again afterwards."""
        field = _BODIES.get(cell.action)
        body = {field: f"{tenant.canary}.changed"} if field else None
        answer = await client.request(cell.method, cell.path, json=body)
        if answer.status_code == 204:
            database = tenant.world.assembly.runtime.database
            scope = database.tenant_scope(tenant.id, Placement.pool(), actor=SYSTEM, request_id=None)
            async with scope as uow:
                await uow.run(_BACK[Project if cell.type == "project" else Task], id=UUID(cell.record))
        return answer
