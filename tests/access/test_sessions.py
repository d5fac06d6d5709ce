"""ORM sessions see what the routes show: the rule of access holds behind door 2 too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from starlette.types import Scope

from planner.comments.models import Comment
from planner.projects.models import Project
from planner.tasks.models import Task
from tenantry.kernel import SYSTEM
from tenantry.tenancy import Role
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def session_of(tenant: TestTenant, role: Role) -> AsyncIterator[AsyncSession]:
    """A session of a unit of work that is opened for a member, as a route opens it."""
    headers = [(b"authorization", f"Bearer {tenant.tokens[role]}".encode()), (b"x-tenant-id", str(tenant.id).encode())]
    scope: Scope = {"type": "http", "headers": headers, "state": {}}
    assembly = tenant.world.assembly
    principal = await assembly.gate.principal(scope)
    work = assembly.runtime.database.tenant_scope(
        tenant.id, principal.tenant.placement, actor=principal.actor, request_id=None, reader=principal
    )
    async with work as uow:
        yield await uow.session()


class Rows:
    """Two projects with a task and a comment each; the first is denied to members."""

    def __init__(self, hidden: list[str], seen: list[str]) -> None:
        self.hidden = [UUID(one) for one in hidden]
        self.seen = [UUID(one) for one in seen]


async def furnished(tenant: TestTenant) -> Rows:
    made = []
    for _ in range(2):
        project = (await tenant.owner.post("/projects", json={"name": tenant.canary})).json()["id"]
        task = (await tenant.owner.post(f"/projects/{project}/tasks", json={"title": tenant.canary})).json()["id"]
        comment = (await tenant.owner.post(f"/tasks/{task}/comments", json={"body": tenant.canary})).json()["id"]
        made.append([project, task, comment])
    deny = {"subject_type": "role", "subject_id": "member", "action": "projects:read", "effect": "deny"}
    assert (await tenant.owner.post(f"/projects/{made[0][0]}/grants", json=deny)).status_code == 201
    return Rows(*made)


async def test_a_query_sees_what_the_routes_show(world: World):
    tenant = await world.tenant()
    rows = await furnished(tenant)
    async with session_of(tenant, Role.MEMBER) as session:
        for model, seen in zip((Project, Task, Comment), rows.seen, strict=True):
            assert list(await session.scalars(select(model.id))) == [seen]
            other = aliased(model)
            assert list(await session.scalars(select(other.id))) == [seen]
            assert await session.scalar(select(func.count()).select_from(model)) == 1
    async with session_of(tenant, Role.OWNER) as session:
        assert await session.scalar(select(func.count()).select_from(Comment)) == 2


async def test_a_record_by_its_key_is_hidden_too(world: World):
    tenant = await world.tenant()
    rows = await furnished(tenant)
    async with session_of(tenant, Role.MEMBER) as session:
        assert await session.get(Project, (tenant.id, rows.hidden[0])) is None
        assert await session.get(Task, (tenant.id, rows.hidden[1])) is None
        assert await session.get(Task, (tenant.id, rows.seen[1])) is not None


async def test_a_join_over_what_is_hidden_finds_nothing(world: World):
    tenant = await world.tenant()
    rows = await furnished(tenant)
    async with session_of(tenant, Role.MEMBER) as session:
        joined = select(Task.id, Project.name).join(Project, Project.id == Task.project_id)
        assert [row.id for row in await session.execute(joined)] == [rows.seen[1]]
        within = select(Project.id).where(select(Task.id).where(Task.project_id == Project.id).exists())
        assert list(await session.scalars(within)) == [rows.seen[0]]


async def test_statements_change_what_is_allowed_alone(world: World):
    tenant = await world.tenant()
    rows = await furnished(tenant)
    async with session_of(tenant, Role.MEMBER) as session:
        done = update(Task).values(status="done").execution_options(synchronize_session=False)
        assert (await session.execute(done)).rowcount == 1
        gone = delete(Task).execution_options(synchronize_session=False)
        assert (await session.execute(gone)).rowcount == 0, "members delete their own tasks alone"
    assert (await tenant.owner.get(f"/tasks/{rows.seen[1]}")).json()["status"] == "done"
    assert (await tenant.owner.get(f"/tasks/{rows.hidden[1]}")).json()["status"] == "todo"


async def test_the_application_itself_works_without_a_reader(world: World):
    tenant = await world.tenant()
    await furnished(tenant)
    facts = await world.assembly.resolver.named(tenant.id)
    work = world.assembly.runtime.database.tenant_scope(tenant.id, facts.placement, actor=SYSTEM, request_id=None)
    async with work as uow:
        session = await uow.session()
        assert await session.scalar(select(func.count()).select_from(Project)) == 2
