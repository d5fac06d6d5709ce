"""Row security is the wall: whatever is sent in a tenant's unit of work, it meets that tenant's rows only."""

from __future__ import annotations

import uuid

import asyncpg
import pytest
from sqlalchemy import (
    bindparam,
    column,
    delete,
    exists,
    func,
    insert,
    literal_column,
    select,
    table,
    text,
    union_all,
    update,
)
from sqlalchemy.orm import aliased
from tests.conftest import CHAINS
from tests.database.conftest import Tenant, make_tenant

from planner.items.models import Item
from planner.projects.models import Project
from planner.tasks.models import Task
from tenantry.database import (
    Database,
    DatabaseRole,
    DatabaseUrls,
    Placement,
    ReferenceNotFound,
    RowSecurityRefused,
    Statement,
)
from tenantry.database.migrations import create_placement_schema
from tenantry.kernel import TenantryError, new_id

pytestmark = pytest.mark.anyio

ITEMS = Item.__table__
OTHER = aliased(Item)
LOOSE = table("items", column("id"), column("tenant_id"), column("name"))


@pytest.fixture(params=["pool", "schema"])
async def pair(
    request: pytest.FixtureRequest, database: Database, admin_of_tests: asyncpg.Connection, urls: DatabaseUrls
) -> tuple[Tenant, Tenant]:
    """Two tenants side by side: in the shared pool, and each in a schema of its own."""
    if request.param == "pool":
        return await make_tenant(database, admin_of_tests), await make_tenant(database, admin_of_tests)
    made = []
    for _ in range(2):
        tenant_id = new_id()
        placement = Placement.schema_for(tenant_id)  # type: ignore[arg-type]
        report = await create_placement_schema(urls, CHAINS, placement)
        assert not report.failed, report.failed
        made.append(await make_tenant(database, admin_of_tests, placement, tenant_id))
    return made[0], made[1]


FORMS = {
    "text": lambda other: text("SELECT name FROM items"),
    "text with a condition that is always true": lambda other: text(
        "SELECT name FROM items WHERE true OR tenant_id IS NOT NULL"
    ),
    "text naming the other tenant": lambda other: text(f"SELECT name FROM items WHERE tenant_id = '{other.id}'"),
    "text by the other tenant's id": lambda other: text(f"SELECT name FROM items WHERE id = '{other.items[0]}'"),
    "core": lambda other: select(ITEMS.c.name),
    "core without the model": lambda other: select(LOOSE.c.name),
    "core naming the other tenant": lambda other: select(ITEMS.c.name).where(ITEMS.c.tenant_id == other.id),
    "core alias join": lambda other: select(OTHER.name).join(Item, Item.id != OTHER.id),
    "core union": lambda other: union_all(
        select(ITEMS.c.name), select(ITEMS.c.name).where(ITEMS.c.tenant_id == other.id)
    ),
    "core subquery": lambda other: select(select(ITEMS.c.name).subquery().c.name),
    "core cte": lambda other: select(select(ITEMS.c.name).cte("all_items").c.name),
    "core exists": lambda other: select(literal_column("'found'")).where(exists().where(ITEMS.c.tenant_id == other.id)),
    "core lateral": lambda other: select(select(ITEMS.c.name).lateral("l").c.name),
    "core aggregate": lambda other: select(func.string_agg(ITEMS.c.name, literal_column("','"))),
    "core array of other ids": lambda other: select(ITEMS.c.name).where(ITEMS.c.id.in_(list(other.items))),
    "orm": lambda other: select(Item.name),
    "orm entity": lambda other: select(Item),
    "orm join": lambda other: select(Task.title).join(Project, Project.id == Task.project_id),
    "orm by primary key": lambda other: select(Item).where(Item.tenant_id == other.id, Item.id == other.items[0]),
    "from only": lambda other: text("SELECT name FROM ONLY items"),
    "table command": lambda other: text("TABLE items"),
    "window": lambda other: text("SELECT first_value(name) OVER (PARTITION BY tenant_id) FROM items"),
    "leaking function": lambda other: text("SELECT name FROM items WHERE (1 / (price_cents - price_cents + 1)) > 0"),
}


class TestReading:
    @pytest.mark.parametrize("form", FORMS)
    async def test_every_form_of_query_sees_own_rows_only(self, pair: tuple[Tenant, Tenant], form: str) -> None:
        mine, other = pair
        async with mine.work() as uow:
            session = await uow.session()
            rows = (await session.execute(FORMS[form](other))).all()
        seen = repr([tuple(getattr(value, "name", value) for value in row) for row in rows])
        assert other.canary not in seen
        assert "found" not in seen

    async def test_the_forms_do_see_own_rows(self, pair: tuple[Tenant, Tenant]) -> None:
        mine, _ = pair
        async with mine.work() as uow:
            session = await uow.session()
            names = (await session.execute(FORMS["text"](mine))).scalars().all()
            entities = (await session.execute(FORMS["orm entity"](mine))).scalars().all()
        assert len(names) == len(entities) == len(mine.items)
        assert all(mine.canary in name for name in names)

    async def test_get_by_the_other_tenants_key_finds_nothing(self, pair: tuple[Tenant, Tenant]) -> None:
        mine, other = pair
        async with mine.work() as uow:
            session = await uow.session()
            assert await session.get(Item, (other.id, other.items[0])) is None
            assert await session.get(Item, (mine.id, mine.items[0])) is not None

    async def test_without_a_tenant_there_are_no_rows(self, tenants: tuple[Tenant, Tenant], database: Database) -> None:
        connection = await database.connect(DatabaseRole.APP)
        try:
            assert await connection.fetch("SELECT * FROM items") == []
            async with connection.transaction():
                await connection.execute(f"SET LOCAL app.tenant_id = '{tenants[0].id}'")
                assert len(await connection.fetch("SELECT * FROM items")) == 3
            # After a SET LOCAL the setting is the empty string, not unset: the cast must not fail on it.
            assert await connection.fetch("SELECT * FROM items") == []
        finally:
            await connection.close()

    @pytest.mark.parametrize(
        "relation",
        ["users", "sessions", "one_time_tokens", "tenants", "memberships", "invitations", "audit_entries", "outbox"],
    )
    async def test_nothing_of_the_control_plane_is_readable(
        self, tenants: tuple[Tenant, Tenant], relation: str
    ) -> None:
        with pytest.raises(RowSecurityRefused):
            async with tenants[0].work() as uow:
                await (await uow.session()).execute(text(f"SELECT * FROM control.{relation}"))

    @pytest.mark.parametrize(
        "role", [role.value for role in DatabaseRole if role is not DatabaseRole.APP] + ["postgres"]
    )
    async def test_the_role_cannot_be_changed(self, database: Database, role: str) -> None:
        connection = await database.connect(DatabaseRole.APP)
        try:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(f"SET ROLE {role}")
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(f"SET SESSION AUTHORIZATION {role}")
        finally:
            await connection.close()

    async def test_row_security_cannot_be_switched_off(
        self, tenants: tuple[Tenant, Tenant], database: Database
    ) -> None:
        connection = await database.connect(DatabaseRole.APP)
        try:
            await connection.execute("SET row_security = off")
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.fetch("SELECT * FROM items")
        finally:
            await connection.close()


class TestWriting:
    async def test_a_row_of_another_tenant_cannot_be_inserted(self, pair: tuple[Tenant, Tenant]) -> None:
        mine, other = pair
        statement = Statement(
            insert(ITEMS).values(tenant_id=bindparam("t"), id=bindparam("i"), name="x", price_cents=1)
        )
        with pytest.raises(RowSecurityRefused):
            async with mine.work() as uow:
                await uow.run(statement, t=other.id, i=new_id())

    async def test_a_row_cannot_be_moved_to_another_tenant(self, pair: tuple[Tenant, Tenant]) -> None:
        mine, other = pair
        statement = Statement(update(ITEMS).values(tenant_id=bindparam("t")))
        with pytest.raises(RowSecurityRefused):
            async with mine.work() as uow:
                await uow.run(statement, t=other.id)

    async def test_the_session_refuses_a_row_of_another_tenant_before_sending_it(
        self, tenants: tuple[Tenant, Tenant]
    ) -> None:
        mine, other = tenants
        with pytest.raises(RowSecurityRefused, match="another tenant"):
            await add(mine, Item(tenant_id=other.id, name="x", price_cents=1))

    async def test_the_session_gives_new_rows_its_tenant(self, tenants: tuple[Tenant, Tenant]) -> None:
        mine, _ = tenants
        async with mine.work() as uow:
            session = await uow.session()
            session.add(Item(name=f"{mine.canary}.orm", price_cents=1))
        async with mine.work() as uow:
            session = await uow.session()
            found = (await session.execute(select(Item).where(Item.name == f"{mine.canary}.orm"))).scalar_one()
        assert found.tenant_id == mine.id

    @pytest.mark.parametrize(
        "form", ["text update", "core update", "orm update", "text delete", "core delete", "orm delete"]
    )
    async def test_bulk_changes_touch_own_rows_only(
        self, pair: tuple[Tenant, Tenant], admin_of_tests: asyncpg.Connection, form: str
    ) -> None:
        mine, other = pair
        before = await checksum(admin_of_tests, other)
        statements = {
            "text update": text("UPDATE items SET name = 'changed'"),
            "core update": update(ITEMS).values(name="changed"),
            "orm update": update(Item).values(name="changed").execution_options(synchronize_session=False),
            "text delete": text("DELETE FROM items"),
            "core delete": delete(ITEMS),
            "orm delete": delete(Item).execution_options(synchronize_session=False),
        }
        async with mine.work() as uow:
            result = await (await uow.session()).execute(statements[form])
            assert result.rowcount == len(mine.items)
        assert await checksum(admin_of_tests, other) == before

    async def test_a_reference_to_another_tenants_row_fails_like_one_to_nothing(
        self, pair: tuple[Tenant, Tenant]
    ) -> None:
        mine, other = pair
        statement = Statement(
            insert(Task.__table__).values(
                tenant_id=bindparam("t"),
                id=bindparam("i"),
                project_id=bindparam("p"),
                title="x",
                owner_id=bindparam("o"),
            )
        )
        outcomes = []
        for project in (other.project, new_id()):
            with pytest.raises(TenantryError) as caught:
                async with mine.work() as uow:
                    await uow.run(statement, t=mine.id, i=new_id(), p=project, o=new_id())
            outcomes.append((type(caught.value), caught.value.detail))
        assert outcomes[0] == outcomes[1]
        assert outcomes[0][0] is ReferenceNotFound

    async def test_the_other_tenants_ids_are_free_to_use(self, tenants: tuple[Tenant, Tenant]) -> None:
        """A unique constraint that did not start with the tenant would answer whether an id exists elsewhere."""
        mine, other = tenants
        statement = Statement(
            insert(ITEMS).values(tenant_id=bindparam("t"), id=bindparam("i"), name="x", price_cents=1)
        )
        async with mine.work() as uow:
            assert await uow.run(statement, t=mine.id, i=other.items[0]) == 1

    async def test_the_trail_cannot_be_rewritten(self, tenants: tuple[Tenant, Tenant]) -> None:
        for change in ("UPDATE audit_entries SET action = 'x'", "DELETE FROM audit_entries", "TRUNCATE audit_entries"):
            with pytest.raises(RowSecurityRefused):
                async with tenants[0].work() as uow:
                    await (await uow.session()).execute(text(change))


async def add(tenant: Tenant, row: Item) -> None:
    async with tenant.work() as uow:
        (await uow.session()).add(row)


async def checksum(admin: asyncpg.Connection, tenant: Tenant) -> list[tuple[str, int, int]]:
    """The rows of one tenant in every table, as numbers that change when anything does."""
    sums = []
    for name in ("items", "projects", "tasks", "comments", "audit_entries"):
        row = await admin.fetchrow(
            f"SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM {tenant.placement.schema}.{name} t "
            "WHERE tenant_id = $1",
            tenant.id,
        )
        sums.append((name, int(row[0]), int(row[1])))
    return sums


def test_a_schema_name_that_is_not_a_tenants_is_refused() -> None:
    for name in ("public", "pg_catalog", "pool", 't_"; drop', f"t_{uuid.uuid4().hex}x", "t_" + "A" * 32):
        with pytest.raises(ValueError, match="not the schema of a tenant"):
            Placement.of_schema(name)
