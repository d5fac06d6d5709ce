"""Grants on a project reach what lies below it, and every write asks in the same order: 404, 403, 412."""

from __future__ import annotations

from typing import Any

import pytest
from httpx2 import AsyncClient
from tests.acceptance.scenery import made

from tenantry.kernel import new_id
from tenantry.tenancy import Role
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio

ROLES = tuple(Role)


@pytest.fixture
async def tenant(world: World) -> TestTenant:
    return (await world.two_tenants())[0]


class Branch:
    """A project with a task and a comment."""

    def __init__(self, tenant: TestTenant) -> None:
        self.tenant = tenant
        self.project = self.task = self.comment = ""

    @classmethod
    async def grown(cls, tenant: TestTenant) -> Branch:
        branch, mark = cls(tenant), tenant.canary
        branch.project = str(await made(tenant, "/projects", {"name": mark}))
        branch.task = str(await made(tenant, f"/projects/{branch.project}/tasks", {"title": mark}))
        branch.comment = str(await made(tenant, f"/tasks/{branch.task}/comments", {"body": mark}))
        return branch

    async def give(self, to: Role, action: str, effect: str, *, on: str = "projects") -> str:
        """Give a grant to the person with this role; return its address."""
        record = self.project if on == "projects" else self.task
        subject = {"subject_type": "user", "subject_id": str(self.tenant.people[to])}
        answer = await self.tenant.owner.post(
            f"/{on}/{record}/grants", json={**subject, "action": action, "effect": effect}
        )
        assert answer.status_code == 201, answer.text
        return f"/{on}/{record}/grants/{answer.json()['id']}"

    @property
    def members(self) -> list[tuple[str, str]]:
        """Each list with what of the branch stands in it."""
        return [
            ("/projects", self.project),
            ("/tasks", self.task),
            (f"/projects/{self.project}/tasks", self.task),
            (f"/tasks/{self.task}/comments", self.comment),
        ]


async def status(client: AsyncClient, method: str, path: str, **given: Any) -> int:
    return (await client.request(method, path, **given)).status_code


async def listed(client: AsyncClient, path: str) -> set[str] | int:
    """Return the ids on all pages, after comparing their number with `total` and `has_more`; or what was answered."""
    answer = await client.get(path, params={"with_total": "true", "limit": "2"})
    if answer.status_code != 200:
        return answer.status_code
    total, ids = answer.json()["page"]["total"], [item["id"] for item in answer.json()["items"]]
    while answer.json()["page"]["has_more"]:
        assert len(answer.json()["items"]) == 2, "a page is only short where it is the last"
        cursor = answer.json()["page"]["next_cursor"]
        answer = await client.get(path, params={"cursor": cursor, "limit": "2"})
        assert answer.json()["items"], "there is no more, although it was said"
        ids += [item["id"] for item in answer.json()["items"]]
    assert len(ids) == len(set(ids)) == total
    return set(ids)


class TestReading:
    async def test_a_hidden_project_takes_what_is_below_it_along(self, tenant: TestTenant) -> None:
        hidden, seen = await Branch.grown(tenant), await Branch.grown(tenant)
        await hidden.give(Role.MEMBER, "projects:read", "deny")
        member = tenant.member
        assert await listed(member, "/projects") == {seen.project}
        assert await listed(member, "/tasks") == {seen.task}
        for path in (f"/projects/{hidden.project}/tasks", f"/tasks/{hidden.task}/comments"):
            assert await listed(member, path) == 404
        for path in (f"/projects/{hidden.project}", f"/tasks/{hidden.task}", f"/comments/{hidden.comment}"):
            assert await status(member, "GET", path) == 404
            assert await status(member, "DELETE", path) == 404
        assert await status(member, "POST", f"/projects/{hidden.project}/tasks", json={"title": "x"}) == 404
        assert await status(member, "POST", f"/tasks/{hidden.task}/comments", json={"body": "x"}) == 404
        assert await listed(tenant.manager, "/tasks") == {hidden.task, seen.task}

    async def test_a_hidden_task_leaves_its_project_where_it_is(self, tenant: TestTenant) -> None:
        branch = await Branch.grown(tenant)
        await branch.give(Role.MEMBER, "tasks:read", "deny", on="tasks")
        assert await listed(tenant.member, "/projects") == {branch.project}
        assert await listed(tenant.member, f"/projects/{branch.project}/tasks") == set()
        assert await listed(tenant.member, f"/tasks/{branch.task}/comments") == 404

    async def test_a_grant_shows_tasks_only_of_a_project_that_is_seen(self, world: World, tenant: TestTenant) -> None:
        shown, hidden = await Branch.grown(tenant), await Branch.grown(tenant)
        name = f"guest-{new_id().hex[-8:]}"
        role = await tenant.owner.post("/roles", json={"name": name, "permissions": ["comments:read"]})
        assert role.status_code == 201, role.text
        person = tenant.people[Role.VIEWER]
        moved = await tenant.owner.patch(f"/members/{person}", json={"role": name})
        assert moved.status_code == 200, moved.text
        guest = tenant.viewer
        for branch in (shown, hidden):
            await branch.give(Role.VIEWER, "tasks:read", "allow")
        assert await listed(guest, "/tasks") == set()
        assert await status(guest, "GET", f"/tasks/{shown.task}") == 404
        given = await shown.give(Role.VIEWER, "projects:read", "allow")
        assert await listed(guest, "/projects") == {shown.project}
        assert await listed(guest, "/tasks") == {shown.task}
        assert await listed(guest, f"/projects/{shown.project}/tasks") == {shown.task}
        assert await listed(guest, f"/projects/{hidden.project}/tasks") == 404
        assert await listed(guest, f"/tasks/{shown.task}/comments") == {shown.comment}
        assert await status(guest, "PATCH", f"/tasks/{shown.task}", json={"title": "x"}) == 403
        assert await status(tenant.owner, "DELETE", given) == 204
        assert await listed(guest, "/tasks") == set()


class TestCreating:
    async def test_a_grant_on_a_project_allows_to_add_to_it_and_nowhere_else(self, tenant: TestTenant) -> None:
        here, elsewhere = await Branch.grown(tenant), await Branch.grown(tenant)
        await here.give(Role.VIEWER, "tasks:create", "allow")
        for branch, expected in ((here, 201), (elsewhere, 403)):
            path = f"/projects/{branch.project}/tasks"
            assert await status(tenant.viewer, "POST", path, json={"title": "x"}) == expected
        assert await status(tenant.viewer, "POST", f"/projects/{new_id()}/tasks", json={"title": "x"}) == 404
        assert await status(tenant.viewer, "POST", "/projects", json={"name": "x"}) == 403

    async def test_a_deny_on_a_project_holds_back_whose_role_would_allow_it(self, tenant: TestTenant) -> None:
        here, elsewhere = await Branch.grown(tenant), await Branch.grown(tenant)
        await here.give(Role.MEMBER, "tasks:create", "deny")
        for branch, expected in ((here, 403), (elsewhere, 201)):
            path = f"/projects/{branch.project}/tasks"
            assert await status(tenant.member, "POST", path, json={"title": "x"}) == expected
        assert await status(tenant.manager, "POST", f"/projects/{here.project}/tasks", json={"title": "x"}) == 201

    async def test_a_grant_two_floors_up_reaches_comments(self, tenant: TestTenant) -> None:
        here, elsewhere = await Branch.grown(tenant), await Branch.grown(tenant)
        await here.give(Role.VIEWER, "comments:create", "allow")
        await here.give(Role.MEMBER, "comments:create", "deny")
        for branch, viewer, member in ((here, 201, 403), (elsewhere, 403, 201)):
            path = f"/tasks/{branch.task}/comments"
            assert await status(tenant.viewer, "POST", path, json={"body": "x"}) == viewer
            assert await status(tenant.member, "POST", path, json={"body": "x"}) == member


class TestWriting:
    WRITES = (
        ("PATCH", "", {"name": "x"}, "projects:update"),
        ("PUT", "", {"name": "x"}, "projects:update"),
        ("DELETE", "", None, "projects:delete"),
        ("DELETE", "?hard=true", None, "projects:purge"),
    )

    @pytest.mark.parametrize(("method", "rest", "body", "action"), WRITES)
    async def test_not_visible_is_404_then_not_allowed_is_403_then_stale_is_412(
        self, tenant: TestTenant, method: str, rest: str, body: Any, action: str
    ) -> None:
        branch = await Branch.grown(tenant)
        path = f"/projects/{branch.project}{rest}"
        stale = {"headers": {"If-Match": '"77"'}}
        given = {} if body is None else {"json": body}
        denied = await branch.give(Role.OWNER, action, "deny")
        assert await status(tenant.owner, method, path, **given) == 403
        assert await status(tenant.owner, method, path, **given, **stale) == 403
        hidden = await branch.give(Role.OWNER, "projects:read", "deny")
        assert await status(tenant.owner, method, path, **given) == 404
        assert await status(tenant.owner, method, path, **given, **stale) == 404
        for grant in (denied, hidden):
            assert await status(tenant.owner, "DELETE", grant) == 204
        assert await status(tenant.owner, method, path, **given, **stale) == 412
        assert await status(tenant.owner, method, path, **given) in (200, 204)

    async def test_a_restore_asks_in_the_same_order(self, tenant: TestTenant) -> None:
        branch = await Branch.grown(tenant)
        await branch.give(Role.MANAGER, "projects:delete", "allow")
        await branch.give(Role.VIEWER, "projects:read", "deny")
        await branch.give(Role.VIEWER, "projects:delete", "allow")
        path, stale = f"/projects/{branch.project}", {"headers": {"If-Match": '"77"'}}
        assert await status(tenant.owner, "DELETE", path) == 204
        assert await status(tenant.viewer, "POST", f"{path}/restore") == 404
        assert await status(tenant.member, "POST", f"{path}/restore", **stale) == 403
        assert await status(tenant.manager, "POST", f"{path}/restore", **stale) == 412
        assert await status(tenant.manager, "POST", f"{path}/restore") == 200
        assert await status(tenant.viewer, "GET", path) == 404

    async def test_an_allow_is_enough_to_write_what_is_visible(self, tenant: TestTenant) -> None:
        branch, other = await Branch.grown(tenant), await Branch.grown(tenant)
        await branch.give(Role.VIEWER, "projects:*", "allow")
        viewer, path = tenant.viewer, f"/projects/{branch.project}"
        assert await status(viewer, "PATCH", path, json={"name": "x"}) == 200
        assert await status(viewer, "PATCH", f"/tasks/{branch.task}", json={"title": "x"}) == 403
        assert await status(viewer, "DELETE", path) == 204
        assert await status(viewer, "GET", path) == 404
        assert await status(viewer, "POST", f"{path}/restore") == 200
        assert await status(viewer, "DELETE", f"{path}?hard=true") == 204
        assert await status(viewer, "PATCH", f"/projects/{other.project}", json={"name": "x"}) == 403


Contents = dict[str, list[str]]
"""The ids in each list of a tenant, were nothing hidden."""


@pytest.fixture(scope="module")
async def contested(world: World) -> tuple[TestTenant, Contents]:
    """A tenant with grants of every kind in force: to people and roles, on projects, tasks, items, and all projects."""
    tenant, other = await world.two_tenants()
    await Branch.grown(other)
    branches = [await Branch.grown(tenant) for _ in range(7)]
    contents: Contents = {"/projects": [], "/tasks": [], "/items": []}
    for branch in branches:
        task = str(await made(tenant, f"/projects/{branch.project}/tasks", {"title": tenant.canary}))
        comment = str(await made(tenant, f"/tasks/{branch.task}/comments", {"body": tenant.canary}))
        contents["/projects"].append(branch.project)
        contents["/tasks"] += [branch.task, task]
        contents[f"/projects/{branch.project}/tasks"] = [branch.task, task]
        contents[f"/tasks/{branch.task}/comments"] = [branch.comment, comment]
        contents[f"/tasks/{task}/comments"] = []
    await branches[0].give(Role.MEMBER, "projects:read", "deny")
    await branches[1].give(Role.MEMBER, "tasks:read", "deny")
    await branches[2].give(Role.MANAGER, "tasks:*", "deny", on="tasks")
    await branches[3].give(Role.MANAGER, "comments:read", "deny", on="tasks")
    await branches[4].give(Role.OWNER, "projects:*", "deny")
    await branches[5].give(Role.OWNER, "comments:read", "deny")
    await branches[6].give(Role.VIEWER, "tasks:read", "deny")
    for role in ROLES:
        item = str(await made(tenant, "/items", {"name": tenant.canary, "price_cents": 5}))
        contents["/items"].append(item)
        denied = {"subject_type": "role", "subject_id": role.value, "action": "items:read", "effect": "deny"}
        assert await status(tenant.owner, "POST", f"/items/{item}/grants", json=denied) == 201
    return tenant, contents


@pytest.mark.parametrize("role", ROLES)
async def test_every_list_counts_what_can_be_read_and_nothing_else(
    role: Role, contested: tuple[TestTenant, Contents]
) -> None:
    tenant, contents = contested
    client = tenant.as_(role)
    hidden = 0
    for path, ids in contents.items():
        parent, _, collection = path.rpartition("/")
        readable = {one for one in ids if await status(client, "GET", f"/{collection}/{one}") == 200}
        hidden += len(ids) - len(readable)
        is_there = not parent or await status(client, "GET", parent) == 200
        assert await listed(client, path) == (readable if is_there else 404), path
    assert hidden > 2, "something is hidden from everybody"
