"""A resource of the control plane, declared like any other, gets all that the engine gives to those of tenants."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from httpx2 import Response
from tests.conftest import suite_settings
from tests.resources import notes

from tenantry.access import NotPermitted
from tenantry.app import assembled
from tenantry.database import DatabaseRole, Plane
from tenantry.kernel import ConfigurationError, new_id
from tenantry.proof import Plan, Scratch, prove_on, scratch_database
from tenantry.resources import Operation, ResourceDefinition, ResourceRouter
from tenantry.tenancy import Role
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def scratch() -> AsyncIterator[Scratch]:
    async with scratch_database(notes.application) as made:
        yield made


@pytest.fixture(scope="module")
async def noted(scratch: Scratch) -> AsyncIterator[World]:
    async with assembled(notes.application, suite_settings(), scratch.urls) as assembly:
        yield World(assembly)


async def note(tenant: TestTenant, text: str = "first", **headers: str) -> Response:
    body = {"text": f"{tenant.canary}.{text}", "phone": "555"}
    return await tenant.manager.post("/tenant-notes", json=body, headers=headers)


def test_it_is_declared_in_under_sixty_lines() -> None:
    source = Path(notes.__file__).read_text().splitlines()
    start = next(number for number, line in enumerate(source) if line.startswith("class TenantNote"))
    assert len(source) - start < 60


async def test_records_are_made_read_changed_and_deleted_by_their_version(noted: World) -> None:
    tenant = await noted.tenant()
    made = await note(tenant)
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    path = made.headers["location"].removeprefix("/api/v1")
    assert (await tenant.manager.get(path, headers={"If-None-Match": '"1"'})).status_code == 304
    change = {"text": f"{tenant.canary}.second"}
    assert (await tenant.manager.patch(path, json=change, headers={"If-Match": '"7"'})).status_code == 412
    changed = await tenant.manager.patch(path, json=change, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    assert (await tenant.manager.delete(path, headers={"If-Match": '"1"'})).status_code == 412
    assert (await tenant.manager.delete(path)).status_code == 204
    assert (await tenant.manager.get(path)).status_code == 404


async def test_lists_are_filtered_sorted_paged_and_counted(noted: World) -> None:
    tenant = await noted.tenant()
    for text in ("b", "a", "c"):
        await note(tenant, text)
    found: list[str] = []
    params = {"page_size": "1", "sort": "text", "fields": "text", "with_total": "true"}
    while True:
        page = (await tenant.manager.get("/tenant-notes", params=params)).json()
        found += [item["text"][-1] for item in page["items"]]
        assert page["page"]["total"] == 3
        if not page["page"]["has_more"]:
            break
        params["cursor"] = page["page"]["next_cursor"]
    assert found == ["a", "b", "c"]
    one = await tenant.manager.get("/tenant-notes", params={"filter[text]": f"{tenant.canary}.b"})
    assert len(one.json()["items"]) == 1
    assert (await tenant.manager.get("/tenant-notes", params={"sort": "phone"})).status_code == 400


async def test_a_repeated_request_happens_once(noted: World) -> None:
    tenant = await noted.tenant()
    key = new_id().hex
    first, again = [await note(tenant, **{"Idempotency-Key": key}) for _ in range(2)]
    assert (first.content, first.status_code) == (again.content, again.status_code)
    assert (await note(tenant, "other", **{"Idempotency-Key": key})).json()["code"] == "idempotency_key_reused"
    assert len((await tenant.manager.get("/tenant-notes")).json()["items"]) == 1


async def test_a_write_leaves_its_line_and_its_event_with_what_is_sensitive_masked(
    noted: World, scratch: Scratch
) -> None:
    tenant = await noted.tenant()
    made = UUID((await note(tenant)).json()["id"])
    connection = await asyncpg.connect(scratch.admin_url)
    try:
        line = await connection.fetchrow("SELECT * FROM control.audit_entries WHERE resource_id = $1", made)
        event = await connection.fetchrow("SELECT * FROM control.outbox WHERE aggregate_id = $1", made)
    finally:
        await connection.close()
    assert (line["action"], line["resource_type"], line["tenant_id"]) == (
        "tenant_notes.created",
        "tenant_note",
        tenant.id,
    )
    assert line["actor_id"] == tenant.people[Role.MANAGER]
    assert '"phone": "***"' in line["after"]
    assert "555" not in line["after"]
    assert (event["name"], event["tenant_id"]) == ("tenant_notes.created", tenant.id)


async def test_permissions_stand_before_everything_and_other_tenants_find_nothing(noted: World) -> None:
    mine, theirs = await noted.two_tenants()
    path = (await note(mine)).headers["location"].removeprefix("/api/v1")
    assert (await mine.viewer.patch("/tenant-notes/x", content=b"[")).status_code == 403
    assert (await theirs.manager.get(path)).status_code == 404
    assert (await theirs.manager.patch(path, json={"text": "stolen"})).status_code == 404
    assert (await theirs.manager.get("/tenant-notes")).json()["items"] == []


async def test_row_security_stands_behind_it(noted: World, scratch: Scratch) -> None:
    mine, theirs = await noted.two_tenants()
    await note(mine)
    connection = await asyncpg.connect(scratch.urls.of(DatabaseRole.CONTROL))
    try:
        async with connection.transaction():
            await connection.execute(f"SET LOCAL app.tenant_id = '{theirs.id}'")
            assert await connection.fetchval("SELECT count(*) FROM control.tenant_notes") == 0
        assert await connection.fetchval("SELECT count(*) FROM control.tenant_notes") == 0
    finally:
        await connection.close()


async def test_the_proof_of_isolation_covers_it(scratch: Scratch) -> None:
    report = await prove_on(scratch, notes.application, Plan(only="tenant-notes", samples=0), lambda _: None)
    assert report.is_proved, report.findings
    assert report.calls > 200


class Guarded(notes.NoteService):
    """A service that forgot what it should check: its hook is misspelt."""

    resource = ResourceDefinition(notes.NoteService.resource.access, notes.NoteRead)

    async def chek_create(self, write: object) -> None:
        """Check nothing, ever."""


@pytest.mark.parametrize("operation", [Operation.CREATE, Operation.UPDATE, Operation.DELETE])
def test_a_guarded_resource_without_the_hook_of_an_operation_is_not_served(operation: Operation) -> None:
    with pytest.raises(ConfigurationError, match=f"Guarded has no check_{operation}"):
        ResourceRouter(Guarded, "/guarded", create=notes.NoteCreate, update=notes.NoteUpdate, operations={operation})


def test_a_guarded_resource_is_never_cleared() -> None:
    with pytest.raises(ConfigurationError, match="not cleared"):
        ResourceRouter(Guarded, "/guarded", operations={Operation.CLEAR})


async def test_a_forgotten_hook_refuses_whoever_calls_the_service_itself(noted: World) -> None:
    tenant = await noted.tenant()
    record_id = UUID((await note(tenant)).json()["id"])
    context = tenant.context(Role.MANAGER)
    async with context.work(Plane.CONTROL) as uow:
        service = Guarded(uow, context.principal, context.runtime)
        with pytest.raises(NotPermitted):
            await service.create(notes.NoteCreate(text=tenant.canary))
        with pytest.raises(NotPermitted):
            await service.update(record_id, notes.NoteUpdate(text="x"))
        for hard in (False, True):
            with pytest.raises(NotPermitted):
                await service.delete(record_id, hard=hard)
        with pytest.raises(NotPermitted):
            await service.clear()
    assert (await tenant.manager.get(f"/tenant-notes/{record_id}")).json()["version"] == 1
