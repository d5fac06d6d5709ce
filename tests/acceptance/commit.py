"""Checks of the one promise about writing: an answer that says "done" is sent after the commit, and only after it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from httpx2 import Response
from tests.acceptance.controls import prepared
from tests.acceptance.scenery import Scenery
from tests.acceptance.surface import Ids, Operation, tenant_operations

from tenantry.kernel import new_id
from tenantry.resources import ResourceService
from tenantry.testing import TestTenant

_PLANT = """
CREATE SCHEMA planted;
GRANT USAGE ON SCHEMA planted TO PUBLIC;
CREATE FUNCTION planted.refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'planted' USING ERRCODE = '{sqlstate}'; END $$;
DO $$ DECLARE found record; BEGIN
    FOR found IN SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                  WHERE c.relkind = 'r' AND n.nspname IN ('pool', 'shared', 'control') LOOP
        EXECUTE format('CREATE CONSTRAINT TRIGGER planted AFTER INSERT OR UPDATE OR DELETE ON %I.%I '
                       'DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION planted.refuse()',
                       found.nspname, found.relname);
    END LOOP;
END $$
"""


@asynccontextmanager
async def failing_commits(admin: asyncpg.Connection, sqlstate: str) -> AsyncIterator[None]:
    """Make every commit that changed a row of any table fail, by a constraint that is checked at the commit."""
    await admin.execute(_PLANT.format(sqlstate=sqlstate))
    try:
        yield
    finally:
        await admin.execute("DROP SCHEMA planted CASCADE")


Call = tuple[Operation, Ids]


async def writes_of(scenery: Scenery) -> list[Call]:
    """Return one valid write for every route of a tenant that writes, with things made for it."""
    return [(one, await prepared(one, scenery)) for one in tenant_operations(scenery.tenant.world.app) if one.writes]


async def send(call: Call, scenery: Scenery) -> Response:
    """Send a write as the owner; each time with other texts, so that it has something to change."""
    operation, ids = call
    return await operation.send(scenery.tenant.owner, ids, mark=f"{scenery.canary}.{new_id().hex[-6:]}")


async def assert_refused(calls: list[Call], scenery: Scenery, codes: set[str]) -> None:
    """Every write is answered with a failure of one of the codes."""
    for call in calls:
        answer = await send(call, scenery)
        place = f"{call[0].id}: {answer.status_code} {answer.text}"
        assert not answer.is_success, f"{place} although the commit failed"
        assert answer.json()["code"] in codes, place


async def assert_accepted(calls: list[Call], scenery: Scenery) -> None:
    """The same writes do succeed once nothing is in their way."""
    for call in calls:
        answer = await send(call, scenery)
        assert answer.is_success, f"{call[0].id}: {answer.status_code} {answer.text}"


async def assert_a_swallowed_error_is_never_a_success(
    tenant: TestTenant, admin: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that catches the database's error and goes on: PostgreSQL rolls back, and the answer says so."""
    create = ResourceService.create

    async def careless(self: ResourceService, *given: object, **named: object) -> object:
        made = await create(self, *given, **named)  # type: ignore[arg-type]
        with pytest.raises(asyncpg.DivisionByZeroError):
            await self.uow._open_connection().execute("SELECT 1 / 0")
        return made

    with monkeypatch.context() as planted:
        planted.setattr(ResourceService, "create", careless)
        name = f"swallowed.{new_id().hex}"
        answer = await tenant.owner.post("/items", json={"name": name, "price_cents": 1})
    assert not answer.is_success, answer.text
    assert answer.json()["code"] == "commit_refused"
    assert await admin.fetchval("SELECT count(*) FROM pool.items WHERE name = $1", name) == 0


async def assert_a_created_row_is_there_at_once(tenant: TestTenant, admin: asyncpg.Connection, *, times: int) -> None:
    """Whoever got a 201 finds the row from any other connection, in the same instant."""
    for number in range(times):
        answer = await tenant.owner.post("/items", json={"name": f"now {number}", "price_cents": 1})
        assert answer.status_code == 201, answer.text
        found = await admin.fetchval("SELECT count(*) FROM pool.items WHERE id = $1", answer.json()["id"])
        assert found == 1, f"the row of answer {number} is not there"
