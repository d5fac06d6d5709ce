"""What the application's roles can reach, tried with SQL of their own: two tenants, the pool and a schema placement."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import MetaData, Table
from tests.database.freight.conftest import Crate, Depot, Freight

from tenantry.database import DatabaseRole
from tenantry.database.row_security import Policy, model_of, qualified, statements_for, wall_statements
from tenantry.kernel import ConfigurationError

pytestmark = pytest.mark.anyio

A, B = uuid.UUID(int=0xA), uuid.UUID(int=0xB)
CRATE = {A: uuid.UUID(int=0xA1), B: uuid.UUID(int=0xB1)}
UNKNOWN = uuid.UUID(int=0xFFFF)


@pytest.fixture
async def app(freight: Freight, schema: str) -> AsyncIterator[asyncpg.Connection]:
    """The application role in a placement that holds crates, parcels and keyholders of both tenants."""
    async with freight.connection() as admin:
        await admin.execute(f"SET search_path = {schema}")
        await admin.execute("TRUNCATE crates, parcels, control.keyholders, shared.waybills")
        for tenant, crate in CRATE.items():
            weight = 42 if tenant is B else 7
            await admin.execute("INSERT INTO crates VALUES ($1, $2, $3, $4)", tenant, crate, f"label {tenant}", weight)
            await admin.execute("INSERT INTO parcels VALUES ($1, $2, $3)", tenant, uuid.uuid4(), crate)
            await admin.execute("INSERT INTO control.keyholders VALUES ($1, $2)", tenant, CRATE[tenant])
            await admin.execute("INSERT INTO shared.waybills VALUES ($1)", tenant)
    async with freight.connection(DatabaseRole.APP, search_path=f"{schema}, pg_temp") as connection:
        yield connection


async def act(connection: asyncpg.Connection, tenant: object) -> None:
    """Begin a transaction of a tenant; closing the connection ends it."""
    await connection.execute(f"BEGIN; SET LOCAL app.tenant_id = '{tenant}'")


async def count(connection: asyncpg.Connection, table: str) -> int:
    number: int = await connection.fetchval(f"SELECT count(*) FROM {table}")
    return number


async def test_without_a_tenant_there_are_no_rows(app: asyncpg.Connection) -> None:
    assert (await count(app, "crates"), await count(app, "parcels"), await count(app, "shared.waybills")) == (0, 0, 0)


async def test_a_tenant_sees_exactly_its_own_rows(app: asyncpg.Connection) -> None:
    await act(app, A)
    assert [row["tenant_id"] for row in await app.fetch("SELECT tenant_id FROM crates")] == [A]
    assert [row["tenant_id"] for row in await app.fetch("SELECT tenant_id FROM shared.waybills")] == [A]


async def test_a_setting_left_empty_by_an_earlier_transaction_shows_no_rows_and_raises_nothing(
    app: asyncpg.Connection,
) -> None:
    await act(app, A)
    await app.execute("COMMIT")
    assert await app.fetchval("SELECT current_setting('app.tenant_id')") == ""
    assert await count(app, "crates") == 0


@pytest.mark.parametrize("garbage", ["x", " ", "''; drop", "0", "a" * 100_000, str(B)[:-1], "NULL"])
async def test_a_setting_that_is_no_tenant_never_shows_rows(app: asyncpg.Connection, garbage: str) -> None:
    await app.execute("BEGIN; SELECT set_config('app.tenant_id', '" + garbage.replace("'", "''") + "', true)")
    with pytest.raises(asyncpg.InvalidTextRepresentationError):
        await count(app, "crates")


@pytest.mark.parametrize(
    "statement",
    [
        f"INSERT INTO crates VALUES ('{B}', '{UNKNOWN}', 'mine now')",
        f"UPDATE crates SET tenant_id = '{B}'",
        f"INSERT INTO shared.waybills VALUES ('{B}')",
    ],
    ids=["insert", "move", "announce"],
)
async def test_a_row_of_another_tenant_cannot_be_written(app: asyncpg.Connection, statement: str) -> None:
    await act(app, A)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await app.execute(statement)


@pytest.mark.parametrize("verb", ["UPDATE crates SET weight = 1", "DELETE FROM crates"])
async def test_another_tenants_rows_are_not_there_to_be_changed(app: asyncpg.Connection, verb: str) -> None:
    await act(app, A)
    assert await app.execute(f"{verb} WHERE tenant_id = '{B}'") in {"UPDATE 0", "DELETE 0"}
    assert await app.execute(verb) in {"UPDATE 1", "DELETE 1"}


async def test_a_reference_to_another_tenants_row_fails_like_one_to_a_random_id(app: asyncpg.Connection) -> None:
    failures = []
    for target in (CRATE[B], UNKNOWN):
        await act(app, A)
        with pytest.raises(asyncpg.ForeignKeyViolationError) as caught:
            await app.execute("INSERT INTO parcels VALUES ($1, $2, $3)", A, UNKNOWN, target)
        failures.append(
            (caught.value.sqlstate, str(caught.value).replace(str(target), "…"), caught.value.constraint_name)
        )
        await app.execute("ROLLBACK")
    assert failures[0] == failures[1]


async def test_a_cascade_stays_in_its_tenant(app: asyncpg.Connection, freight: Freight, schema: str) -> None:
    await act(app, A)
    await app.execute("DELETE FROM crates; COMMIT")
    assert await freight.value(f"SELECT array_agg(DISTINCT tenant_id) FROM {schema}.parcels") == [B]


async def test_another_tenants_unique_values_are_free(app: asyncpg.Connection) -> None:
    await act(app, A)
    insert = f"INSERT INTO crates VALUES ('{A}', '{CRATE[B]}', 'label {B}') ON CONFLICT DO NOTHING"
    assert await app.execute(insert) == "INSERT 0 1"


async def test_a_condition_that_would_fail_on_a_hidden_row_does_not_tell(app: asyncpg.Connection) -> None:
    await act(app, A)
    assert await app.fetchval("SELECT count(*) FROM crates WHERE 1 / (weight - 42) < 0") == 0
    assert await app.fetchval("SELECT 1 / (weight - 42) FROM crates ORDER BY 1 / (weight - 42)") == 0


async def test_after_a_savepoint_is_rolled_back_the_tenant_is_the_outer_one(app: asyncpg.Connection) -> None:
    await act(app, A)
    await app.execute(f"SAVEPOINT inner_one; SET LOCAL app.tenant_id = '{B}'; ROLLBACK TO inner_one")
    assert await app.fetchval("SELECT tenant_id FROM crates") == A


async def test_switching_row_security_off_is_an_error_and_shows_nothing(app: asyncpg.Connection) -> None:
    await app.execute("SET row_security = off")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await count(app, "crates")


@pytest.mark.parametrize("role", [*DatabaseRole, "postgres", "pg_read_all_data"])
async def test_the_application_cannot_become_another_role(app: asyncpg.Connection, role: str) -> None:
    if role == DatabaseRole.APP:
        assert await app.fetchval("SELECT current_user") == role
        return
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.execute(f"SET ROLE {role}")


@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE crates",
        "CREATE TABLE mine (id int)",
        "CREATE TABLE public.mine (id int)",
        "CREATE TEMPORARY TABLE crates (id int)",
        "CREATE SCHEMA mine",
        "ALTER TABLE crates DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE crates NO FORCE ROW LEVEL SECURITY",
        "CREATE POLICY more ON crates USING (true)",
        "DROP POLICY tenant_wall ON crates",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE TRIGGER t AFTER INSERT ON crates EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "UPDATE parcels SET crate_id = id",
        "DELETE FROM freight_version",
        "SELECT * FROM control.depots",
        "SELECT * FROM control.keyholders",
        "SELECT * FROM pg_authid",
    ],
)
async def test_the_application_role_has_no_more_than_it_needs(app: asyncpg.Connection, statement: str) -> None:
    await act(app, A)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.execute(statement)


async def test_a_missing_table_is_an_error_and_never_the_pools(freight: Freight, app: asyncpg.Connection) -> None:
    await freight.execute("CREATE SCHEMA IF NOT EXISTS t_empty; GRANT USAGE ON SCHEMA t_empty TO tenantry_app")
    await app.execute("BEGIN; SET LOCAL search_path = t_empty, pg_temp")
    with pytest.raises(asyncpg.UndefinedTableError):
        await count(app, "crates")
    await freight.execute("DROP SCHEMA t_empty")


@pytest.mark.parametrize("role", [DatabaseRole.CONTROL, DatabaseRole.WORKER, DatabaseRole.PLATFORM])
async def test_no_other_serving_role_reads_tenant_tables(
    freight: Freight, app: asyncpg.Connection, schema: str, role: DatabaseRole
) -> None:
    async with freight.connection(role) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await count(connection, f"{schema}.crates")


async def test_a_worker_sees_the_shared_rows_of_every_tenant(freight: Freight, app: asyncpg.Connection) -> None:
    async with freight.connection(DatabaseRole.WORKER) as worker:
        assert await count(worker, "shared.waybills") == 2


async def test_the_owner_is_behind_the_wall_too(freight: Freight, app: asyncpg.Connection, schema: str) -> None:
    async with freight.connection(DatabaseRole.OWNER) as owner:
        await act(owner, A)
        assert await count(owner, f"{schema}.crates") == 0


class TestControlPlane:
    """Rows of the control plane: the transaction's tenant, and one's own."""

    async def test_without_settings_control_sees_nothing(self, freight: Freight, app: asyncpg.Connection) -> None:
        async with freight.connection(DatabaseRole.CONTROL) as control:
            assert await count(control, "control.keyholders") == 0

    async def test_the_tenants_rows_are_seen(self, freight: Freight, app: asyncpg.Connection) -> None:
        async with freight.connection(DatabaseRole.CONTROL) as control:
            await act(control, A)
            assert await control.fetchval("SELECT array_agg(tenant_id) FROM control.keyholders") == [A]

    async def test_ones_own_rows_are_seen_in_every_tenant_but_not_written(
        self, freight: Freight, app: asyncpg.Connection
    ) -> None:
        async with freight.connection(DatabaseRole.CONTROL) as control:
            await control.execute(f"BEGIN; SET LOCAL app.user_id = '{CRATE[B]}'")
            assert await control.fetchval("SELECT array_agg(tenant_id) FROM control.keyholders") == [B]
            assert await control.execute("DELETE FROM control.keyholders") == "DELETE 0"

    async def test_the_platform_sees_all(self, freight: Freight, app: asyncpg.Connection) -> None:
        async with freight.connection(DatabaseRole.PLATFORM) as platform:
            assert await count(platform, "control.keyholders") == 2


class TestDeclarations:
    """What a model may say, and the statements that come of it."""

    @pytest.mark.parametrize(
        "condition",
        ["a IN ('x')", "a != b", "a BETWEEN 1 AND 2", "CASE WHEN a THEN b END", "a = 1 AND b = 2 OR c = 3"],
    )
    def test_a_condition_that_could_not_be_compared_later_is_refused(self, condition: str) -> None:
        with pytest.raises(ValueError, match="policy narrow"):
            Policy("narrow", "tenantry_control", using=condition)

    def test_a_policy_needs_a_condition_and_a_known_command(self) -> None:
        with pytest.raises(ValueError, match="neither"):
            Policy("empty", "tenantry_control")
        with pytest.raises(ValueError, match="TRUNCATE"):
            Policy("odd", "tenantry_control", using="true", command="TRUNCATE")

    def test_names_are_quoted(self) -> None:
        table = qualified('ta"ble', "Some Schema")
        (_, _, create) = wall_statements(table, [Policy("Po;licy", "Ro-le", using="true", command="DELETE")])
        assert create == (
            'CREATE POLICY "Po;licy" ON "Some Schema"."ta""ble" AS PERMISSIVE FOR DELETE TO "Ro-le" USING (true)'
        )

    def test_a_control_table_without_policies_has_grants_alone(self) -> None:
        assert statements_for(Depot.__table__) == [
            "REVOKE ALL ON control.depots FROM PUBLIC",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON control.depots TO tenantry_control",
        ]

    def test_a_tenant_table_is_forced_and_unqualified(self) -> None:
        assert "ALTER TABLE crates FORCE ROW LEVEL SECURITY" in statements_for(Crate.__table__)

    def test_a_table_without_a_model_is_refused(self) -> None:
        with pytest.raises(ConfigurationError, match="no model class"):
            model_of(Table("orphans", MetaData()))
