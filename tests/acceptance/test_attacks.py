"""Attacks on access control over HTTP: ways up, ways around a deny, ways into what belongs to others.

Each was tried against the running application by somebody who knows its code. Those that succeeded once have a test
of their own; of those that never did, each family has one, as a table.
"""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from httpx2 import AsyncClient, Response

from planner.projects import PROJECT_ACCESS
from tenantry.access import AccessContext
from tenantry.access.keys.secrets import NewSecret, secrets_of
from tenantry.access.models import SubjectType
from tenantry.database import Plane
from tenantry.kernel import PermissionDenied, new_id
from tenantry.standard.grants import TypeGrantService
from tenantry.standard.grants.schemas import GrantCreate, TypeGrantCreate
from tenantry.tenancy import Role
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio


async def made(client: AsyncClient, path: str, **body: Any) -> dict[str, Any]:
    """Make something, and return it."""
    answer = await client.post(path, json=body)
    assert answer.status_code == 201, (path, answer.text)
    record: dict[str, Any] = answer.json()
    return record


async def became(tenant: TestTenant, role: Role, *permissions: str, **values: Any) -> AsyncClient:
    """Give the member with a built-in role a role of the tenant's own; return their client."""
    name = f"r {new_id().hex[-12:]}"
    await made(tenant.owner, "/roles", name=name, permissions=list(permissions), **values)
    answer = await tenant.owner.patch(f"/members/{tenant.people[role]}", json={"role": name})
    assert answer.status_code == 200, answer.text
    return tenant.as_(role)


async def key_of(client: AsyncClient, world: World, **body: Any) -> AsyncClient:
    """Return a client that acts with a new key."""
    return world.client({"X-API-Key": (await made(client, "/api-keys", name="key", **body))["secret"]})


def refused(answer: Response) -> tuple[int, str]:
    problem = answer.json()
    return answer.status_code, problem.get("code", problem)


class TestPermissionsForOwnRecords:
    """`…:own` gives nothing where nothing is anybody's own."""

    ROUTES = (
        ("GET", "/stats", "stats:read"),
        ("GET", "/activity", "activity:read"),
        ("GET", "/members", "members:read"),
        ("GET", "/invitations", "members:manage"),
        ("GET", "/teams", "teams:read"),
        ("GET", "/roles", "roles:read"),
        ("GET", "/grants", "grants:read"),
        ("GET", "/service-accounts", "service-accounts:read"),
        ("GET", "/access/who-can?action=items:read", "access:explain"),
        ("PATCH", "/tenant", "tenant:update"),
    )

    @pytest.mark.parametrize(("method", "path", "permission"), ROUTES)
    async def test_a_role_that_has_it_for_own_records_is_refused(
        self, world: World, method: str, path: str, permission: str
    ) -> None:
        tenant = await world.tenant()
        clerk = await became(tenant, Role.VIEWER, f"{permission}:own")
        assert refused(await clerk.request(method, path, json={"name": "x"} if method == "PATCH" else None)) == (
            403,
            "not_permitted",
        )
        told = (await clerk.get(f"/access/explain?action={permission}")).json()
        assert told["allowed"] is False, told

    async def test_a_key_that_is_limited_to_own_records_is_refused(self, world: World) -> None:
        tenant = await world.tenant()
        for method, path, permission in self.ROUTES:
            key = await key_of(tenant.owner, world, permissions=[f"{permission}:own"])
            answer = await key.request(method, path, json={"name": "x"} if method == "PATCH" else None)
            assert answer.status_code == 403, (path, answer.text)

    async def test_what_has_no_owner_is_not_created_as_ones_own(self, world: World) -> None:
        tenant = await world.tenant()
        clerk = await became(tenant, Role.VIEWER, "items:create:own", "items:read")
        assert (await clerk.post("/items", json={"name": tenant.canary, "price_cents": 5})).status_code == 403
        key = await key_of(tenant.owner, world, permissions=["items:create:own", "items:read"])
        assert (await key.post("/items", json={"name": tenant.canary, "price_cents": 5})).status_code == 403


class TestMovingTasks:
    async def test_nobody_moves_a_task_to_where_they_may_add_none(self, world: World) -> None:
        tenant = await world.tenant()
        source = await made(tenant.member, "/projects", name=tenant.canary)
        closed = await made(tenant.owner, "/projects", name=tenant.canary)
        task = await made(tenant.member, f"/projects/{source['id']}/tasks", title=tenant.canary)
        subject = {"subject_type": "user", "subject_id": str(tenant.people[Role.MEMBER])}
        await made(tenant.owner, f"/projects/{closed['id']}/grants", **subject, action="tasks:create", effect="deny")
        there = await tenant.member.post(f"/projects/{closed['id']}/tasks", json={"title": "x"})
        assert refused(there) == (403, "not_permitted")
        moved = await tenant.member.patch(f"/tasks/{task['id']}", json={"project_id": closed["id"]})
        assert refused(moved) == (403, "not_permitted")
        assert (await tenant.owner.get(f"/tasks/{task['id']}")).json()["project_id"] == source["id"]

    async def test_a_guest_who_may_change_a_task_takes_it_nowhere_else(self, world: World) -> None:
        tenant = await world.tenant()
        shared, other = [await made(tenant.owner, "/projects", name=tenant.canary) for _ in range(2)]
        task = await made(tenant.owner, f"/projects/{shared['id']}/tasks", title=tenant.canary)
        subject = {"subject_type": "user", "subject_id": str(tenant.people[Role.VIEWER])}
        await made(tenant.owner, f"/projects/{shared['id']}/grants", **subject, action="tasks:update")
        moved = await tenant.viewer.patch(f"/tasks/{task['id']}", json={"project_id": other["id"]})
        assert refused(moved) == (403, "not_permitted")
        stays = await tenant.viewer.patch(f"/tasks/{task['id']}", json={"project_id": shared["id"], "priority": 3})
        assert stays.status_code == 200, stays.text


class TestReplays:
    async def test_who_lost_the_permission_gets_no_stored_answer(self, world: World) -> None:
        tenant = await world.tenant()
        body, sent = {"name": tenant.canary, "budget_cents": 777}, {"Idempotency-Key": "replay"}
        first = await tenant.manager.post("/projects", json=body, headers=sent)
        assert first.json()["budget_cents"] == 777
        for role, code in (("member", "field_not_permitted"), ("viewer", "not_permitted")):
            changed = await tenant.owner.patch(f"/members/{tenant.people[Role.MANAGER]}", json={"role": role})
            assert changed.status_code == 200, changed.text
            again = await tenant.manager.post("/projects", json=body, headers=sent)
            assert again.status_code == 403, again.text
            assert code in again.text

    async def test_a_key_that_may_not_create_gets_no_answer_of_its_owner(self, world: World) -> None:
        tenant = await world.tenant()
        body, sent = {"name": tenant.canary}, {"Idempotency-Key": "replay"}
        assert (await tenant.manager.post("/projects", json=body, headers=sent)).status_code == 201
        key = await key_of(tenant.manager, world, permissions=["items:read"])
        assert refused(await key.post("/projects", json=body, headers=sent)) == (403, "not_permitted")

    async def test_a_parent_that_was_hidden_meanwhile_is_hidden(self, world: World) -> None:
        tenant = await world.tenant()
        project = await made(tenant.owner, "/projects", name=tenant.canary)
        path, body, sent = f"/projects/{project['id']}/tasks", {"title": tenant.canary}, {"Idempotency-Key": "replay"}
        assert (await tenant.member.post(path, json=body, headers=sent)).status_code == 201
        assert (await tenant.member.post(path, json=body, headers=sent)).status_code == 201
        subject = {"subject_type": "role", "subject_id": "member"}
        where = f"/projects/{project['id']}/grants"
        await made(tenant.owner, where, **subject, action="tasks:create", effect="deny")
        assert (await tenant.member.post(path, json=body, headers=sent)).status_code == 403
        await made(tenant.owner, where, **subject, action="projects:read", effect="deny")
        assert (await tenant.member.post(path, json=body, headers=sent)).status_code == 404


class TestNames:
    @pytest.mark.parametrize("extra", ["\ufe0f", "\u034f", "\u3164", "\u2800", "\u115f", "\U000e0100", " ", "\u3000"])
    async def test_what_looks_like_another_role_is_taken(self, world: World, extra: str) -> None:
        tenant = await world.tenant()
        await made(tenant.owner, "/roles", name="auditors")
        for name in (f"owner{extra}", f"{extra}Auditors", f"audi{extra.strip()}tors"):
            assert refused(await tenant.owner.post("/roles", json={"name": name})) == (409, "role_name_taken"), name

    async def test_a_role_that_is_called_like_the_id_of_another_gets_none_of_its_grants(self, world: World) -> None:
        tenant = await world.tenant()
        clerk = await became(tenant, Role.MEMBER, "roles:manage", "items:read")
        impostors = [f"impostor {number}" for number in range(3)]
        ids = {name: (await made(clerk, "/roles", name=name))["id"] for name in impostors}
        real = await made(tenant.owner, "/roles", name="auditors")
        for name, role_id in ids.items():
            answer = await clerk.patch(f"/roles/{role_id}", json={"name": real["id"]})
            assert answer.status_code in (200, 409), (name, answer.text)
        asked = {"subject_type": "role", "subject_id": real["id"], "action": "items:create"}
        grant = await made(tenant.owner, "/grants", resource_type="item", **asked)
        assert grant["subject_id"] == real["id"]


class TestKeys:
    async def test_a_key_stays_dead_whoever_asked_for_it_with_a_wrong_secret_before(self, world: World) -> None:
        tenant = await world.tenant()
        secret = (await made(tenant.manager, "/api-keys", name="key"))["secret"]
        known = secrets_of(secret)
        assert known is not None
        wrong = NewSecret.of(known.tenant_id, known.key_id).text
        person = tenant.people[Role.MANAGER]
        assert (await world.client({"X-API-Key": wrong}).get("/projects")).status_code == 401
        assert (await tenant.owner.delete(f"/members/{person}")).status_code == 204
        await tenant.join(person, Role.MANAGER)
        answer = await world.client({"X-API-Key": secret}).get("/projects")
        assert refused(answer) == (401, "invalid_api_key")


class TestLimits:
    async def test_no_haste_gets_more_grants_onto_a_record_than_the_limit(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tenantry.standard.grants.records.MAX_GRANTS", 3)
        monkeypatch.setattr("tenantry.standard.grants.service.MAX_TYPE_GRANTS", 3)
        tenant = await world.tenant()
        project = await made(tenant.owner, "/projects", name=tenant.canary)
        body = {"subject_type": "role", "subject_id": "viewer", "effect": "deny"}
        actions = [f"tasks:{verb}" for verb in ("create", "update", "delete", "grant", "purge")]
        actions += [f"comments:{verb}" for verb in ("create", "update", "delete", "purge")]
        for path, more in ((f"/projects/{project['id']}/grants", {}), ("/grants", {"resource_type": ""})):
            asked = [
                body | {"action": action} | ({"resource_type": action.split(":")[0]} if more else {})
                for action in actions
            ]
            answers = await asyncio.gather(*(tenant.owner.post(path, json=one) for one in asked))
            assert sum(answer.status_code == 201 for answer in answers) == 3


class TestStaleGivers:
    """Somebody whose request was let in just before they lost a role; in another process that is a second's time."""

    @pytest.mark.parametrize("becomes", ["viewer", None])
    async def test_nobody_grants_what_their_roles_held_a_moment_ago(self, world: World, becomes: str | None) -> None:
        tenant = await world.tenant()
        project = await made(tenant.owner, "/projects", name=tenant.canary)
        person = tenant.people[Role.MEMBER]
        await tenant.owner.patch(f"/members/{person}", json={"role": "owner"})
        headers = {"authorization": f"Bearer {tenant.tokens[Role.MEMBER]}", "x-tenant-id": str(tenant.id)}
        sent = [(name.encode(), value.encode()) for name, value in headers.items()]
        principal = await world.assembly.gate.principal({"type": "http", "headers": sent})
        stale = AccessContext(principal, world.assembly.runtime, "stale")
        if becomes is None:
            assert (await tenant.owner.delete(f"/members/{person}")).status_code == 204
        else:
            assert (await tenant.owner.patch(f"/members/{person}", json={"role": becomes})).status_code == 200
        service = world.assembly.services.grants
        to_viewers: Any = {"subject_type": SubjectType.ROLE, "subject_id": "viewer"}
        whole = TypeGrantCreate(**to_viewers, action="items:*", resource_type="item")
        asked = GrantCreate(**to_viewers, action="projects:update")
        async with stale.work(Plane.CONTROL) as uow:
            with pytest.raises(PermissionDenied):
                await TypeGrantService(uow, principal, stale.runtime).create(whole)
        with pytest.raises(PermissionDenied):
            await service.records.prepare(stale, PROJECT_ACCESS, UUID(project["id"]), asked)
        assert (await tenant.owner.get("/grants")).json()["items"] == []
        assert (await tenant.owner.get(f"/projects/{project['id']}/grants")).json()["items"] == []


LOW = [
    "members:read", "members:manage", "teams:read", "teams:manage", "roles:read", "roles:manage", "grants:read",
    "grants:manage", "service-accounts:read", "service-accounts:manage", "api-keys:create", "access:explain",
    "projects:read", "projects:grant",
]  # fmt: skip
"""Everything that administers, and hardly anything that is administered."""


class TestWaysUp:
    async def test_who_administers_everything_gives_nobody_more_than_they_hold(self, world: World) -> None:
        tenant = await world.tenant()
        owner, clerk = tenant.owner, await became(tenant, Role.MEMBER, *LOW)
        me, project = str(tenant.people[Role.MEMBER]), (await made(owner, "/projects", name=tenant.canary))["id"]
        role = (await clerk.get("/roles?filter[is_builtin]=false")).json()["items"][0]["id"]
        strong = (await made(owner, "/teams", name="strong", role="owner"))["id"]
        mine = (await made(clerk, "/teams", name="mine", parent_id=strong))["id"]
        robot = (await made(owner, "/service-accounts", name="robot", role="owner"))["id"]
        to_me = {"subject_type": "user", "subject_id": me}
        tries = {
            "itself up": ("PATCH", f"/members/{me}", {"role": "member"}),
            "somebody down": ("PATCH", f"/members/{tenant.people[Role.MANAGER]}", {"role": "viewer"}),
            "somebody out": ("DELETE", f"/members/{tenant.people[Role.MANAGER]}", None),
            "an accomplice": ("POST", "/invitations", {"email": "x@attack.test", "role": "owner"}),
            "a stronger role": ("POST", "/roles", {"name": "up", "permissions": ["projects:update:own"]}),
            "a higher role": ("POST", "/roles", {"name": "up", "counts_as": "member"}),
            "the own role": ("PATCH", f"/roles/{role}", {"permissions": [*LOW, "projects:delete"]}),
            "a team with a role": ("POST", "/teams", {"name": "up", "role": "member"}),
            "into a strong team": ("POST", f"/teams/{strong}/members", {"user_id": me}),
            "into a team in a strong one": ("POST", f"/teams/{mine}/members", {"user_id": me}),
            "a strong robot": ("POST", "/service-accounts", {"name": "up", "role": "member"}),
            "a key of a strong robot": ("POST", "/api-keys", {"name": "up", "service_account_id": robot}),
            "a robot that is tamed": ("PATCH", f"/service-accounts/{robot}", {"role": "viewer"}),
            "a key with more": ("POST", "/api-keys", {"name": "up", "permissions": ["projects:update"]}),
            "a grant": ("POST", f"/projects/{project}/grants", {**to_me, "action": "projects:update"}),
            "a grant of all": ("POST", f"/projects/{project}/grants", {**to_me, "action": "projects:*"}),
            "a grant below": ("POST", f"/projects/{project}/grants", {**to_me, "action": "tasks:update"}),
            "a wide grant": ("POST", "/grants", {**to_me, "resource_type": "project", "action": "projects:budget"}),
            "the project": ("POST", f"/projects/{project}/transfer", {"owner_id": me}),
        }
        answers = {name: await clerk.request(method, path, json=body) for name, (method, path, body) in tries.items()}
        assert {name: answer.status_code for name, answer in answers.items() if answer.status_code != 403} == {}

    async def test_nobody_gives_a_role_to_which_more_was_granted_than_they_hold(self, world: World) -> None:
        tenant = await world.tenant()
        clerk, me = await became(tenant, Role.MEMBER, "members:manage", "items:read"), str(tenant.people[Role.MEMBER])
        await made(tenant.owner, "/roles", name="buyers", permissions=["items:read"])
        subject = {"subject_type": "role", "subject_id": "buyers"}
        await made(tenant.owner, "/grants", **subject, resource_type="item", action="items:create")
        assert refused(await clerk.patch(f"/members/{me}", json={"role": "buyers"})) == (403, "role_above_own")
        assert (await clerk.post("/items", json={"name": "x", "price_cents": 1})).status_code == 403
        assert (await tenant.owner.patch(f"/members/{me}", json={"role": "buyers"})).status_code == 200
        assert (await clerk.post("/items", json={"name": "x", "price_cents": 1})).status_code == 201

    async def test_no_body_takes_a_field_that_it_does_not_declare(self, world: World) -> None:
        """Identity, ownership, time and power are never a matter of the body: unknown fields are refused."""
        tenant = await world.tenant()
        document = (await world.client().get(f"{world.base_url.removesuffix('/api/v1')}/openapi.json")).json()
        schemas, bodies = document["components"]["schemas"], set()
        for methods in document["paths"].values():
            for operation in methods.values():
                content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
                bodies.add(content.get("schema", {}).get("$ref", "").rpartition("/")[2])
        bodies -= {""}
        assert len(bodies) > 20
        assert {name for name in bodies if schemas[name].get("additionalProperties") is not False} == set()
        forbidden = {
            "tenant_id",
            "id",
            "version",
            "created_by",
            "created_at",
            "deleted_at",
            "granted",
            "status",
            "secret",
        }
        declared = {name: forbidden & schemas[name]["properties"].keys() for name in bodies}
        assert {name: found for name, found in declared.items() if found} == {
            "SwitchTenantRequest": {"tenant_id"},
            "TaskCreate": {"status"},
            "TaskUpdate": {"status"},
        }
        answer = await tenant.owner.post("/projects", json={"name": "x", "owner_id": str(new_id())})
        assert refused(answer) == (422, "invalid_input")


class TestOneAnswerForWhatIsForeignAndWhatIsNowhere:
    async def test_wherever_an_id_is_taken(self, world: World) -> None:
        mine, theirs = await world.two_tenants()
        foreign = {
            "project": (await made(theirs.owner, "/projects", name=theirs.canary))["id"],
            "team": (await made(theirs.owner, "/teams", name=theirs.canary))["id"],
            "role": (await made(theirs.owner, "/roles", name=theirs.canary[:50]))["id"],
            "service_account": (await made(theirs.owner, "/service-accounts", name="x", role="viewer"))["id"],
            "api_key": (await made(theirs.owner, "/api-keys", name="x"))["id"],
            "user": str(theirs.people[Role.MEMBER]),
        }
        project = (await made(mine.owner, "/projects", name=mine.canary))["id"]
        task = (await made(mine.owner, f"/projects/{project}/tasks", title=mine.canary))["id"]
        team = (await made(mine.owner, "/teams", name=mine.canary))["id"]

        def tries(ids: dict[str, str]) -> list[tuple[str, str, Any]]:
            subjects = [{"subject_type": kind, "subject_id": found} for kind, found in ids.items() if kind != "project"]
            question = "/access/{}?action=projects:read&{}={}"
            return [
                *(("POST", f"/projects/{project}/grants", {**one, "action": "projects:read"}) for one in subjects),
                *(("POST", "/grants", {**one, "resource_type": "item", "action": "items:read"}) for one in subjects),
                ("GET", f"/projects/{ids['project']}/grants", None),
                ("DELETE", f"/projects/{ids['project']}/grants/{new_id()}", None),
                ("PATCH", f"/teams/{team}", {"parent_id": ids["team"]}),
                ("POST", f"/teams/{team}/members", {"user_id": ids["user"]}),
                ("POST", "/api-keys", {"name": "x", "service_account_id": ids["service_account"]}),
                ("DELETE", f"/api-keys/{ids['api_key']}", None),
                ("PATCH", f"/roles/{ids['role']}", {"description": "x"}),
                ("POST", f"/projects/{project}/transfer", {"owner_id": ids["team"]}),
                ("PATCH", f"/tasks/{task}", {"project_id": ids["project"]}),
                ("GET", question.format("explain", "resource_id", ids["project"]), None),
                ("GET", question.format("explain", "user_id", ids["user"]), None),
                ("GET", question.format("explain", "api_key_id", ids["api_key"]), None),
                ("GET", question.format("who-can", "resource_id", ids["project"]), None),
                ("GET", question.format("who-can", "after", ids["user"]), None),
            ]

        nowhere = {kind: str(new_id()) for kind in foreign}
        for client in (mine.owner, mine.member, mine.viewer):
            for (method, path, body), (_, other, same) in zip(tries(foreign), tries(nowhere), strict=True):
                answers = [
                    await client.request(method, path, json=body),
                    await client.request(method, other, json=same),
                ]
                said = [(one.status_code, one.json()["code"]) for one in answers]
                assert said[0] == said[1], (method, path)
                assert said[0][0] in (400, 403, 404, 422), (method, path, said)


class TestAroundADeny:
    async def test_nothing_that_was_got_before_shows_what_is_hidden_now(self, world: World) -> None:
        tenant = await world.tenant()
        owner, manager, mark = tenant.owner, tenant.manager, f"hidden {tenant.canary}"
        for number in range(3):
            await made(owner, "/projects", name=f"{number} {tenant.canary}")
        project = await made(owner, "/projects", name=f"9 {mark}")
        task = await made(owner, f"/projects/{project['id']}/tasks", title=mark)
        comment = await made(owner, f"/tasks/{task['id']}/comments", body=mark)
        cursor = (await manager.get("/projects?sort=name&page_size=1")).json()["page"]["next_cursor"]
        read = await manager.get(f"/projects/{project['id']}")
        key = await key_of(manager, world)
        subject = {"subject_type": "user", "subject_id": str(tenant.people[Role.MANAGER])}
        await made(owner, f"/projects/{project['id']}/grants", **subject, action="projects:read", effect="deny")
        where, below = f"/projects/{project['id']}", f"/tasks/{task['id']}"
        hidden = [
            ("GET", where, None), ("PATCH", where, {}), ("PUT", where, {"name": "x"}), ("DELETE", where, None),
            ("POST", f"{where}/restore", None), ("POST", f"{where}/transfer", {"owner_id": subject["subject_id"]}),
            ("GET", f"{where}/grants", None), ("GET", f"{where}/tasks", None),
            ("POST", f"{where}/tasks", {"title": "x"}), ("GET", f"{below}/grants", None),
            ("GET", below, None), ("PATCH", below, {"priority": 1}), ("DELETE", below, None),
            ("GET", f"{below}/comments", None), ("POST", f"{below}/comments", {"body": "x"}),
            ("GET", f"/comments/{comment['id']}", None), ("PATCH", f"/comments/{comment['id']}", {"body": "x"}),
            ("GET", f"/access/explain?action=projects:update&resource_id={project['id']}", None),
        ]  # fmt: skip
        lists = ["/projects", f"/projects?sort=name&cursor={cursor}", "/tasks", "/comments", "/activity"]
        lists += [f"/tasks?filter[project_id]={project['id']}", f"/activity?filter[resource_id]={project['id']}"]
        for client in (manager, key):
            for method, path, body in hidden:
                sent = {"If-None-Match": read.headers["etag"]} if method == "GET" else {}
                answer = await client.request(method, path, json=body, headers=sent)
                assert answer.status_code == 404, (method, path, answer.text)
            for path in lists:
                answer = await client.get(path)
                assert answer.status_code == 200, answer.text
                assert mark not in answer.text, path


class TestTwoAtOnce:
    async def test_no_request_after_a_revocation_was_answered_writes_anything(self, world: World) -> None:
        tenant = await world.tenant()
        person, answered = str(tenant.people[Role.MANAGER]), asyncio.Event()

        async def write() -> None:
            for _ in range(100):
                was_answered = answered.is_set()
                answer = await tenant.manager.post("/items", json={"name": tenant.canary, "price_cents": 1})
                if was_answered:
                    assert answer.status_code == 403, answer.text
                    return
            raise AssertionError("nothing was written after the revocation")

        async def revoke() -> None:
            answer = await tenant.owner.patch(f"/members/{person}", json={"role": "viewer"})
            assert answer.status_code == 200, answer.text
            answered.set()

        for _ in range(40):
            assert (await tenant.owner.patch(f"/members/{person}", json={"role": "manager"})).status_code == 200
            answered.clear()
            await asyncio.gather(revoke(), *(write() for _ in range(5)))

    async def test_of_two_owners_who_end_each_other_one_stays(self, world: World) -> None:
        for method, body in (("PATCH", {"role": "viewer"}), ("DELETE", None)):
            tenant = await world.tenant()
            first, second = (str(tenant.people[role]) for role in (Role.OWNER, Role.MANAGER))
            await tenant.owner.patch(f"/members/{second}", json={"role": "owner"})
            answers = await asyncio.gather(
                tenant.owner.request(method, f"/members/{second}", json=body),
                tenant.manager.request(method, f"/members/{first}", json=body),
            )
            assert sorted(answer.status_code < 300 for answer in answers) == [False, True], [
                answer.text for answer in answers
            ]


class TestTrails:
    async def test_nobody_writes_into_the_trail_of_a_tenant_that_they_only_name(self, world: World) -> None:
        mine, theirs = await world.two_tenants()
        lines = "/activity?with_total=true"
        before = (await theirs.owner.get(lines)).json()["page"]["total"]
        key = (await made(mine.member, "/api-keys", name="key"))["secret"]
        for sent in ({"Authorization": f"Bearer {mine.tokens[Role.MEMBER]}"}, {"X-API-Key": key}):
            for named in ({"X-Tenant-Id": str(theirs.id)}, {"X-Tenant-Slug": theirs.slug}):
                for path in ("/items", f"/projects/{new_id()}", "/stats", "/grants"):
                    answer = await world.client(sent | named).get(path)
                    assert refused(answer) == (403, "not_a_member"), path
        assert (await theirs.owner.get(lines)).json()["page"]["total"] == before
