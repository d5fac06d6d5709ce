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
from tenantry.access import RequestAccess
from tenantry.access.grants.giving import Gift
from tenantry.access.keys.secrets import NewSecret, secrets_of
from tenantry.access.models import Effect, SubjectType
from tenantry.kernel import PermissionDenied, new_id
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


class TestNamesThatAreIds:
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
        person = str(tenant.people[Role.MANAGER])
        assert (await world.client({"X-API-Key": wrong}).get("/projects")).status_code == 401
        assert (await tenant.owner.delete(f"/members/{person}")).status_code == 204
        await made(tenant.owner, "/members", user_id=person, role="manager")
        answer = await world.client({"X-API-Key": secret}).get("/projects")
        assert refused(answer) == (401, "invalid_api_key")


class TestLimits:
    async def test_no_haste_gets_more_grants_onto_a_record_than_the_limit(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tenantry.access.grants.records.MAX_GRANTS", 3)
        monkeypatch.setattr("tenantry.access.grants.types.MAX_TYPE_GRANTS", 3)
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
        stale = RequestAccess(principal, world.assembly.runtime, "stale")
        if becomes is None:
            assert (await tenant.owner.delete(f"/members/{person}")).status_code == 204
        else:
            assert (await tenant.owner.patch(f"/members/{person}", json={"role": becomes})).status_code == 200
        service = world.assembly.access.grants
        with pytest.raises(PermissionDenied):
            await service.types.give(stale, "item", Gift(SubjectType.ROLE, "viewer", "items:*", Effect.ALLOW))
        with pytest.raises(PermissionDenied):
            await service.records.give(
                stale,
                PROJECT_ACCESS,
                UUID(project["id"]),
                Gift(SubjectType.ROLE, "viewer", "projects:update", Effect.ALLOW),
            )
        assert (await tenant.owner.get("/grants")).json()["items"] == []
        assert (await tenant.owner.get(f"/projects/{project['id']}/grants")).json()["items"] == []
