"""What an ORM session writes is refused, versioned and told as what every other write does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from tests.access.scenes import superuser

from planner.items.models import Item
from planner.projects.models import Project
from planner.tasks.errors import ProjectOfTaskNotFound
from planner.tasks.models import Task
from tenantry.audit import record
from tenantry.database import (
    DatabaseUrls,
    UniqueConflict,
    UnitOfWork,
    ValueRefused,
)
from tenantry.events import publish
from tenantry.kernel import new_id
from tenantry.tenancy import Role
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio

# ruff: noqa: PT012 - leaving the unit of work is part of what fails


@pytest.fixture(scope="module")
async def admin(urls: DatabaseUrls, admin_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The superuser, to look at the outbox, which no serving role reads."""
    async with superuser(urls, admin_url) as connection:
        yield connection


@asynccontextmanager
async def working(tenant: TestTenant) -> AsyncIterator[tuple[UnitOfWork, AsyncSession]]:
    async with tenant.system.work() as uow:
        yield uow, await uow.session()


def an_item(tenant: TestTenant, **values: Any) -> Item:
    return Item(**{"id": new_id(), "name": tenant.canary, "price_cents": 5, **values})


async def trail_of(tenant: TestTenant, action: str) -> list[dict[str, Any]]:
    listed = await tenant.owner.get("/activity", params={"filter[action]": action})
    found: list[dict[str, Any]] = listed.json()["items"]
    return found


async def events_of(tenant: TestTenant, admin: asyncpg.Connection, name: str) -> list[dict[str, Any]]:
    rows = await admin.fetch(
        "SELECT data FROM shared.outbox WHERE tenant_id = $1 AND name = $2 ORDER BY id", tenant.id, name
    )
    return [json.loads(row["data"]) for row in rows]


class TestRefusals:
    async def test_a_violated_key_is_the_declared_error_with_its_field(self, world: World) -> None:
        tenant = await world.tenant()
        twice = new_id()
        with pytest.raises(UniqueConflict):
            async with working(tenant) as (_, session):
                session.add_all([an_item(tenant, id=twice)])
                await session.flush()
                session.expunge_all()
                session.add(an_item(tenant, id=twice))
                await session.flush()

    async def test_a_row_that_refers_to_nothing_names_the_field(self, world: World) -> None:
        tenant = await world.tenant()
        owner = tenant.people[Role.OWNER]
        with pytest.raises(ProjectOfTaskNotFound) as refused:
            async with working(tenant) as (_, session):
                session.add(Task(id=new_id(), title=tenant.canary, project_id=new_id(), owner_id=owner))
        assert [one.pointer for one in refused.value.errors] == ["/project_id"]

    @pytest.mark.parametrize("flushed_by", ["flush", "query", "the end", "door 1"])
    async def test_whoever_flushes_it(self, world: World, flushed_by: str) -> None:
        tenant = await world.tenant()
        with pytest.raises(ValueRefused) as refused:
            async with working(tenant) as (uow, session):
                session.add(an_item(tenant, name=None))
                match flushed_by:
                    case "flush":
                        await session.flush()
                    case "query":
                        await session.scalars(select(Item))
                    case "door 1":
                        await record(uow, "tests.happened", resource_type="test")
        assert [one.pointer for one in refused.value.errors] == ["/name"]

    async def test_no_value_stands_in_any_message(self, world: World, capfd: pytest.CaptureFixture[str]) -> None:
        tenant = await world.tenant()
        with pytest.raises(Exception) as failed:  # noqa: PT011 - whatever it is, it tells nothing
            async with working(tenant) as (_, session):
                await session.execute(text("SELECT :value / 0"), {"value": 12345})
        chain: BaseException | None = failed.value
        told = ""
        while chain is not None:
            told += str(chain)
            chain = chain.__cause__ or chain.__context__
        assert "12345" not in told
        with pytest.raises(ValueRefused):
            async with working(tenant) as (_, session):
                session.add(an_item(tenant, price_cents=None))
        assert tenant.canary not in capfd.readouterr().err


class TestReadingOn:
    async def test_a_line_and_an_event_forget_no_row(self, world: World) -> None:
        tenant = await world.tenant()
        async with working(tenant) as (uow, session):
            item = an_item(tenant)
            session.add(item)
            await session.flush()
            await record(uow, "tests.happened", resource_type="item", resource_id=item.id)
            await publish(uow, "tests.happened", aggregate="item", aggregate_id=item.id, data={})
            assert (item.name, item.version) == (tenant.canary, 1)


class TestWhatIsTold:
    async def test_a_change_counts_and_leaves_its_line_and_event(self, world: World, admin: asyncpg.Connection) -> None:
        tenant = await world.tenant()
        async with working(tenant) as (_, session):
            item = an_item(tenant)
            session.add(item)
        async with working(tenant) as (_, session):
            [found] = await session.scalars(select(Item))
            found.price_cents = 7
            await session.flush()
            assert found.version == 2
        read = await tenant.owner.get(f"/items/{item.id}")
        assert (read.headers["etag"], read.json()["price_cents"]) == ('"2"', 7)
        assert read.json()["updated_at"] > read.json()["created_at"]
        [created], [updated] = await trail_of(tenant, "items.created"), await trail_of(tenant, "items.updated")
        assert (created["before"], created["after"]["name"]) == (None, tenant.canary)
        assert (updated["before"], updated["after"]) == ({"price_cents": 5}, {"price_cents": 7})
        assert updated["resource_id"] == str(item.id)
        assert await events_of(tenant, admin, "items.updated") == [{"id": str(item.id), "version": 2}]

    async def test_a_row_that_is_deleted_is_told_with_what_it_was(self, world: World) -> None:
        tenant = await world.tenant()
        async with working(tenant) as (_, session):
            item = an_item(tenant)
            session.add(item)
        async with working(tenant) as (_, session):
            await session.delete(await session.get_one(Item, (tenant.id, item.id)))
        [line] = await trail_of(tenant, "items.deleted")
        assert (line["before"]["name"], line["after"]) == (tenant.canary, None)

    async def test_what_changes_nothing_tells_nothing(self, world: World) -> None:
        tenant = await world.tenant()
        async with working(tenant) as (_, session):
            item = an_item(tenant)
            session.add(item)
        async with working(tenant) as (_, session):
            [found] = await session.scalars(select(Item))
            found.price_cents = found.price_cents
        assert (await tenant.owner.get(f"/items/{item.id}")).headers["etag"] == '"1"'
        assert await trail_of(tenant, "items.updated") == []

    async def test_a_statement_over_many_rows_counts_each_and_is_told_once(self, world: World) -> None:
        tenant, other = await world.two_tenants()
        for one in (tenant, other):
            async with working(one) as (_, session):
                await session.execute(
                    insert(Item),
                    [{"id": new_id(), "name": one.canary, "price_cents": n + 1, "tenant_id": one.id} for n in range(3)],
                )
        async with working(tenant) as (_, session):
            await session.execute(update(Item).where(Item.price_cents > 1).values(price_cents=9))
        items = (await tenant.owner.get("/items?sort=price_cents")).json()["items"]
        assert [(one["price_cents"], one["version"]) for one in items] == [(1, 1), (9, 2), (9, 2)]
        async with working(tenant) as (_, session):
            await session.execute(delete(Item).where(Item.price_cents == 9))
        [updated], [deleted] = await trail_of(tenant, "items.updated"), await trail_of(tenant, "items.deleted")
        assert (updated["after"], deleted["after"], updated["resource_id"]) == ({"number": 2}, {"number": 2}, None)
        assert await trail_of(other, "items.updated") == []

    async def test_a_second_application_in_the_process_tells_nothing_twice(
        self, world: World, elsewhere: World
    ) -> None:
        tenant = await elsewhere.tenant()
        async with working(tenant) as (_, session):
            session.add(an_item(tenant))
            await session.flush()
            await session.execute(update(Item).values(price_cents=9))
        for action in ("items.created", "items.updated"):
            assert len(await trail_of(tenant, action)) == 1

    async def test_a_restricted_field_is_masked(self, world: World) -> None:
        tenant = await world.tenant()
        owner = tenant.people[Role.OWNER]
        async with working(tenant) as (_, session):
            session.add(Project(id=new_id(), name=tenant.canary, owner_id=owner, budget_cents=7_351_735))
        [line] = await trail_of(tenant, "projects.created")
        assert line["after"]["budget_cents"] not in (None, 7_351_735)

    async def test_what_is_rolled_back_was_never_told(self, world: World) -> None:
        tenant = await world.tenant()
        with pytest.raises(ZeroDivisionError):
            async with working(tenant) as (_, session):
                session.add(an_item(tenant))
                await session.flush()
                raise ZeroDivisionError
        assert await trail_of(tenant, "items.created") == []


class TestAfterTheCommit:
    async def test_what_follows_a_commit_fails_alone(self, world: World) -> None:
        tenant, called = await world.tenant(), []

        def failing() -> None:
            raise ZeroDivisionError

        async def working_on() -> None:
            await asyncio.sleep(0)
            called.append("second")

        async with working(tenant) as (uow, session):
            session.add(an_item(tenant))
            for follow in (failing, working_on, lambda: called.append("third")):
                uow.after_commit(follow)
        assert called == ["second", "third"]
        assert len((await tenant.owner.get("/items")).json()["items"]) == 1
