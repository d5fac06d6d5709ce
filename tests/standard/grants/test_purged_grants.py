"""Grants go with what they are on, and with whom they are to: with a record that is removed for good, with what
PostgreSQL removes with it, and with the first membership of a person who joins again."""

from __future__ import annotations

from typing import Any

import pytest
from httpx2 import AsyncClient
from sqlalchemy import select

from planner.comments.service import CommentService
from planner.items.service import ItemService
from tenantry.access import Breadth, Grant, Permit, ResourceAccess
from tenantry.database import PlacementKind, Statement
from tenantry.kernel import SYSTEM
from tenantry.resources import ReadSchema, ResourceDefinition, TenantModel
from tenantry.resources.purging import without_grants
from tenantry.resources.statements import clearing
from tenantry.tenancy import Role
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio

DENY = {"subject_type": "role", "subject_id": "viewer", "action": "tasks:update", "effect": "deny"}


async def made(client: AsyncClient, path: str, **body: Any) -> str:
    answer = await client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def with_task(tenant: TestTenant) -> tuple[str, str]:
    """A project and its task, with a grant on each."""
    project = await made(tenant.owner, "/projects", name=tenant.canary)
    task = await made(tenant.owner, f"/projects/{project}/tasks", title=tenant.canary)
    await made(tenant.owner, f"/projects/{project}/grants", **DENY)
    await made(tenant.owner, f"/tasks/{task}/grants", **DENY)
    return project, task


async def granted_records(tenant: TestTenant) -> set[str]:
    """Return the records of the tenant that grants are on, as they lie in the table."""
    assembly = tenant.world.assembly
    facts = await assembly.resolver.named(tenant.id)
    work = assembly.runtime.database.tenant_scope(tenant.id, facts.placement, actor=SYSTEM, request_id=None)
    async with work as uow:
        return {str(row["record_id"]) for row in await uow.all(Statement(select(Grant.__table__.c.record_id)))}


@pytest.mark.parametrize("placement", list(PlacementKind))
async def test_grants_on_what_is_removed_with_a_record_go_too(world: World, placement: PlacementKind) -> None:
    tenant = await world.tenant(placement=placement)
    removed, _ = await with_task(tenant)
    kept = await with_task(tenant)
    assert (await tenant.owner.delete(f"/projects/{removed}?hard=true")).status_code == 204
    assert await granted_records(tenant) == set(kept)


async def test_a_record_that_is_only_marked_keeps_its_grants(world: World) -> None:
    tenant = await world.tenant()
    project, task = await with_task(tenant)
    assert (await tenant.owner.delete(f"/projects/{project}")).status_code == 204
    assert await granted_records(tenant) == {project, task}


def test_nothing_is_asked_where_there_can_be_no_grants() -> None:
    comments = CommentService.resource
    assert without_grants(comments.access, select(comments.table).cte("changed")) == []


async def test_what_a_person_held_before_they_left_is_forgotten_and_that_is_in_the_trail(world: World) -> None:
    tenant = await world.tenant()
    person = str(tenant.people[Role.VIEWER])
    project, _ = await with_task(tenant)
    to_them = {"subject_type": "user", "subject_id": person, "action": "projects:update"}
    await made(tenant.owner, f"/projects/{project}/grants", **to_them)
    await made(tenant.owner, "/grants", resource_type="project", **to_them)
    assert (await tenant.owner.delete(f"/members/{person}")).status_code == 204
    await tenant.join(tenant.people[Role.VIEWER], Role.VIEWER)
    lines = (await tenant.owner.get("/activity?filter[action]=grants.forgotten")).json()["items"]
    assert [(one["resource_id"], one["before"]) for one in lines] == [(person, {"grants": 1})] * 2
    assert (await tenant.owner.get("/grants")).json()["items"] == []


class KeepsakeRead(ReadSchema):
    pass


def test_a_resource_that_is_cleared_for_good_is_cleared_with_its_grants() -> None:
    """Planner has none, so it is the statement that is looked at."""

    class Keepsake(TenantModel):
        __tablename__ = "keepsakes"

    try:
        access = ResourceAccess("keepsakes", Keepsake, "keepsake", grantable=True)
        keepsakes = ResourceDefinition(access=access, read=KeepsakeRead, list_item=KeepsakeRead)
        everything = (Permit(Breadth.ALL), Permit(Breadth.ALL))
        assert "DELETE FROM grants" in clearing(keepsakes, everything).sql
        assert "DELETE FROM grants" not in clearing(ItemService.resource, everything).sql
    finally:
        TenantModel.metadata.remove(Keepsake.__table__)
