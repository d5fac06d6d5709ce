"""A success is sent after the commit and never without it; nothing but the unit of work ends a transaction."""

from __future__ import annotations

import asyncio
import json
import random
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import bindparam, insert, select
from tests.acceptance.commit import (
    assert_a_created_row_is_there_at_once,
    assert_a_swallowed_error_is_never_a_success,
    assert_accepted,
    assert_refused,
    failing_commits,
    writes_of,
)
from tests.acceptance.conftest import Watched
from tests.acceptance.scenery import Scenery, checksums, furnish

from planner.items.models import Item
from tenantry.audit import AuditEntry
from tenantry.database import Database, Placement, Statement, TransactionControl, UnitOfWork
from tenantry.kernel import SYSTEM, new_id

pytestmark = pytest.mark.anyio

INSERT = Statement(
    insert(Item.__table__).values(tenant_id=bindparam("t"), id=bindparam("i"), name="cancelled", price_cents=1)
)


@pytest.fixture
async def scenery(watched: Watched) -> Scenery:
    return await furnish(await watched.world.tenant(side="honest"))


class TestEveryWriteRoute:
    @pytest.mark.parametrize(
        ("sqlstate", "code"), [("P0001", "internal_error"), ("40001", "concurrent_change"), ("23514", "value_refused")]
    )
    async def test_is_refused_when_a_constraint_fails_at_the_commit(
        self, scenery: Scenery, admin: asyncpg.Connection, watched: Watched, sqlstate: str, code: str
    ) -> None:
        calls = await writes_of(scenery)
        assert len(calls) > 20
        before, mails = await checksums(admin, scenery.tenant.id), len(watched.mails)
        async with failing_commits(admin, sqlstate):
            await assert_refused(calls, scenery, {code})
        await watched.world.assembly.runtime.courier.close()
        assert await checksums(admin, scenery.tenant.id) == before
        assert len(watched.mails) == mails, "a mail left for a change that never was"
        await assert_accepted(calls, scenery)

    async def test_is_refused_when_the_backend_dies_before_the_commit(
        self, scenery: Scenery, admin: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls = await writes_of(scenery)
        before = await checksums(admin, scenery.tenant.id)
        commit = UnitOfWork._commit

        async def after_the_backend_died(self: UnitOfWork) -> None:
            await end_backend(admin, self._open_connection().get_server_pid())
            await commit(self)

        with monkeypatch.context() as planted:
            planted.setattr(UnitOfWork, "_commit", after_the_backend_died)
            await assert_refused(calls, scenery, {"outcome_unknown"})
        assert await checksums(admin, scenery.tenant.id) == before
        await assert_accepted(calls, scenery)

    async def test_is_refused_when_an_error_was_swallowed_before_the_commit(
        self, scenery: Scenery, admin: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """PostgreSQL answers the COMMIT of a failed transaction with ROLLBACK, and raises nothing."""
        calls = await writes_of(scenery)
        before = await checksums(admin, scenery.tenant.id)
        commit = UnitOfWork._commit

        async def after_a_swallowed_error(self: UnitOfWork) -> None:
            with pytest.raises(asyncpg.DivisionByZeroError):
                await self._open_connection().execute("SELECT 1 / 0")
            await commit(self)

        with monkeypatch.context() as planted:
            planted.setattr(UnitOfWork, "_commit", after_a_swallowed_error)
            await assert_refused(calls, scenery, {"commit_refused"})
        assert await checksums(admin, scenery.tenant.id) == before
        await assert_accepted(calls, scenery)


async def test_an_error_that_a_service_swallows_is_never_a_success(
    scenery: Scenery, admin: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await assert_a_swallowed_error_is_never_a_success(scenery.tenant, admin, monkeypatch)


async def test_what_was_created_is_there_at_once_a_thousand_times(scenery: Scenery, admin: asyncpg.Connection) -> None:
    await assert_a_created_row_is_there_at_once(scenery.tenant, admin, times=1000)


class TestTheSession:
    @pytest.mark.parametrize("name", ["commit", "rollback", "begin", "close"])
    async def test_refuses_to_end_the_transaction_and_names_the_way_out(
        self, scenery: Scenery, watched: Watched, admin: asyncpg.Connection, name: str
    ) -> None:
        record = new_id()

        async def ending() -> None:
            async with work(scenery.tenant.id, watched.world.assembly.runtime.database) as uow:
                session = await uow.session()
                session.add(Item(id=record, name="never", price_cents=1))
                await session.flush()
                await getattr(session, name)()

        with pytest.raises(TransactionControl, match=r"is not yours to call: \w+"):
            await ending()
        assert await admin.fetchval("SELECT count(*) FROM pool.items WHERE id = $1", record) == 0

    async def test_its_changes_are_committed_with_everything_else(
        self, scenery: Scenery, watched: Watched, admin: asyncpg.Connection
    ) -> None:
        first, second = new_id(), new_id()
        async with work(scenery.tenant.id, watched.world.assembly.runtime.database) as uow:
            (await uow.session()).add(Item(id=first, name="by the session", price_cents=1))
            await uow.run(INSERT, t=scenery.tenant.id, i=second)
        assert await admin.fetchval("SELECT count(*) FROM pool.items WHERE id = ANY ($1)", [first, second]) == 2

    async def test_leaves_the_connection_as_it_was(self, scenery: Scenery, watched: Watched) -> None:
        """SQLAlchemy sets codecs on every connection that it meets; the next borrower must not see them."""
        trail = select(AuditEntry.after).where(AuditEntry.action == "items.created")
        async with work(scenery.tenant.id, watched.world.assembly.runtime.database) as uow:
            before = await uow.value(Statement(trail))
            by_session = (await (await uow.session()).execute(trail)).scalars().first()
            after = await uow.value(Statement(trail))
        assert isinstance(by_session, dict)
        assert before == after
        assert json.loads(after) == by_session
        assert (await scenery.tenant.owner.get("/items")).status_code == 200
        assert (await scenery.tenant.owner.post("/items", json={"name": "x", "price_cents": 1})).status_code == 201


async def test_a_cancelled_unit_of_work_does_all_or_nothing_and_leaves_nothing_behind(
    scenery: Scenery, watched: Watched, admin: asyncpg.Connection
) -> None:
    database, chance = watched.world.assembly.runtime.database, random.Random(2026)
    cancelled, pairs = 0, []
    for number in range(300):
        pair = (new_id(), new_id())
        pairs.append(pair)
        task = asyncio.create_task(write_two(scenery.tenant.id, database, pair, by_session=number % 2 == 0))
        await asyncio.sleep(chance.random() * 0.003)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            cancelled += 1
    assert 30 < cancelled <= 300, "the cancellations came at no interesting instant"
    await assert_nothing_is_left_behind(database, admin)
    written = {row["id"] for row in await admin.fetch("SELECT id FROM pool.items WHERE name = 'cancelled'")}
    assert not [pair for pair in pairs if (pair[0] in written) is not (pair[1] in written)]


async def write_two(tenant_id: UUID, database: Database, pair: tuple[UUID, UUID], *, by_session: bool) -> None:
    async with work(tenant_id, database) as uow:
        if by_session:
            (await uow.session()).add(Item(id=pair[0], name="cancelled", price_cents=1))
        else:
            await uow.run(INSERT, t=tenant_id, i=pair[0])
        await uow.run(INSERT, t=tenant_id, i=pair[1])


async def end_backend(admin: asyncpg.Connection, pid: int) -> None:
    await admin.execute("SELECT pg_terminate_backend($1)", pid)
    while await admin.fetchval("SELECT count(*) FROM pg_stat_activity WHERE pid = $1", pid):
        pass  # the question itself takes longer than the backend needs


def work(tenant_id: UUID, database: Database) -> UnitOfWork:
    return database.tenant_scope(tenant_id, Placement.pool(), actor=SYSTEM, request_id="honest")


async def assert_nothing_is_left_behind(database: Database, admin: asyncpg.Connection) -> None:
    """No connection is lent, and none stands in a transaction; rollbacks that are under way get a second."""
    for _ in range(100):
        if database.app.in_use == 0:
            break
        await asyncio.sleep(0.02)
    assert (database.app.in_use, database.app.waiting) == (0, 0)
    for _ in range(50):
        standing = await admin.fetch(
            "SELECT pid, state, query FROM pg_stat_activity WHERE datname = current_database() "
            "AND usename = 'tenantry_app' AND state <> 'idle'"
        )
        if not standing:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"connections in a transaction: {standing}")
