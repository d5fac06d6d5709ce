"""The doctor finds nothing on a good database, and each planted fault on a bad one.

Faults are planted in a transaction that is rolled back, roles included, and seen through the same connection.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import (
    ARRAY,
    Column,
    Enum,
    Float,
    ForeignKey,
    Identity,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB
from tests.database.freight.conftest import OWN_SCHEMA, Freight

from tenantry.database import DatabaseRole, Placement, UnsafeRole
from tenantry.database.doctor import (
    DatabaseFinding,
    Declared,
    assert_safe_roles,
    distribution_findings,
    examine,
    examine_connection,
    leaking_findings,
)
from tenantry.database.doctor.server import server_findings

pytestmark = pytest.mark.anyio

PLACEMENTS = [Placement.pool(), OWN_SCHEMA]
OWN = OWN_SCHEMA.schema


@pytest.fixture
async def surgery(freight: Freight) -> AsyncIterator[asyncpg.Connection]:
    """A superuser's connection in a transaction that ends as if it had never been."""
    async with freight.connection() as connection:
        await connection.execute("BEGIN")
        yield connection
        await connection.execute("ROLLBACK")


async def found(freight: Freight, connection: asyncpg.Connection) -> list[DatabaseFinding]:
    return await examine_connection(connection, Declared(freight.chains, PLACEMENTS), allowed={})


async def test_a_good_database_has_no_findings(freight: Freight) -> None:
    assert await examine(freight.urls, freight.chains, PLACEMENTS) == []


FAULTS = {
    "superuser": ("ALTER ROLE tenantry_app SUPERUSER", "roles", "role tenantry_app", "is a superuser"),
    "bypass": ("ALTER ROLE tenantry_app BYPASSRLS", "roles", "role tenantry_app", "BYPASSRLS"),
    "bypass of the owner": ("ALTER ROLE tenantry_owner BYPASSRLS", "roles", "role tenantry_owner", "BYPASSRLS"),
    "create role": ("ALTER ROLE tenantry_worker CREATEROLE", "roles", "role tenantry_worker", "create roles"),
    "create database": ("ALTER ROLE tenantry_control CREATEDB", "roles", "role tenantry_control", "create databases"),
    "replication": ("ALTER ROLE tenantry_app REPLICATION", "roles", "role tenantry_app", "replication"),
    "no login": ("ALTER ROLE tenantry_app NOLOGIN", "roles", "role tenantry_app", "not connect"),
    "member": ("GRANT tenantry_owner TO tenantry_app", "roles", "role tenantry_app", "member of tenantry_owner"),
    "reads all": ("GRANT pg_read_all_data TO tenantry_app", "roles", "role tenantry_app", "pg_read_all_data"),
    "temporary tables": (
        "DO $$ BEGIN EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO tenantry_app', current_database()); END $$",
        "roles",
        "role tenantry_app",
        "TEMPORARY",
    ),
    "create in schema": ("GRANT CREATE ON SCHEMA pool TO tenantry_app", "roles", "role tenantry_app", "schema pool"),
    "create in public": ("GRANT CREATE ON SCHEMA public TO PUBLIC", "roles", "role tenantry_app", "schema public"),
    "enters control": ("GRANT USAGE ON SCHEMA control TO tenantry_app", "roles", "role tenantry_app", "schema control"),
    "owns a table": ("ALTER TABLE pool.parcels OWNER TO tenantry_app", "roles", "role tenantry_app", "parcels"),
    "not forced": ("ALTER TABLE pool.crates NO FORCE ROW LEVEL SECURITY", "row security", "pool.crates", "FORCE"),
    "not enabled": (f"ALTER TABLE {OWN}.crates DISABLE ROW LEVEL SECURITY", "row security", f"{OWN}.crates", "ENABLE"),
    "policy dropped": ("DROP POLICY tenant_wall ON pool.crates", "policies", "pool.crates", "missing"),
    "policy changed": (
        "ALTER POLICY tenant_wall ON pool.crates USING (tenant_id IS NOT NULL)",
        "policies",
        "pool.crates",
        "not the declared one",
    ),
    "policy for everybody": ("ALTER POLICY tenant_wall ON pool.crates TO PUBLIC", "policies", "pool.crates", "not the"),
    "permissive extra": (
        "CREATE POLICY more ON pool.crates USING (true)",
        "policies",
        "pool.crates",
        "nothing declares",
    ),
    "control policy": ("DROP POLICY tenant_rows ON control.keyholders", "policies", "control.keyholders", "missing"),
    "grant on control": (
        "GRANT SELECT ON control.depots TO tenantry_app",
        "grants",
        "control.depots",
        "tenantry_app may",
    ),
    "grant to everybody": ("GRANT SELECT ON pool.crates TO PUBLIC", "grants", "pool.crates", "PUBLIC may SELECT"),
    "truncate": ("GRANT TRUNCATE ON pool.crates TO tenantry_app", "grants", "pool.crates", "TRUNCATE"),
    "references": ("GRANT REFERENCES ON pool.crates TO tenantry_app", "grants", "pool.crates", "REFERENCES"),
    "column grant": ("GRANT UPDATE (id) ON pool.parcels TO tenantry_app", "grants", "pool.parcels", "UPDATE (id)"),
    "grant missing": ("REVOKE SELECT ON pool.crates FROM tenantry_app", "grants", "pool.crates", "may not SELECT"),
    "version writable": (
        "GRANT UPDATE ON pool.freight_version TO tenantry_app",
        "grants",
        "pool.freight_version",
        "UPDATE",
    ),
    "table missing": (f"DROP TABLE {OWN}.parcels", "missing table", f"{OWN}.parcels", "no table"),
    "undeclared table": (
        "CREATE TABLE pool.loose (a int); GRANT SELECT ON pool.loose TO tenantry_app",
        "undeclared table",
        "pool.loose",
        "tenantry_app",
    ),
    "partition": (
        (
            "CREATE TABLE pool.years (a int) PARTITION BY LIST (a);"
            "CREATE TABLE pool.year PARTITION OF pool.years DEFAULT;"
            "GRANT SELECT ON pool.year TO tenantry_app"
        ),
        "undeclared table",
        "pool.year",
        "tenantry_app",
    ),
    "simple foreign key": (
        (
            "ALTER TABLE pool.crates ADD UNIQUE (id); ALTER TABLE pool.parcels ADD CONSTRAINT simple "
            "FOREIGN KEY (crate_id) REFERENCES pool.crates (id) NOT VALID"
        ),
        "keys",
        "pool.parcels simple",
        "other tenants",
    ),
    "foreign key that nulls": (
        (
            "ALTER TABLE pool.parcels ADD CONSTRAINT nulls FOREIGN KEY (tenant_id, crate_id) "
            "REFERENCES pool.crates (tenant_id, id) ON DELETE SET NULL"
        ),
        "keys",
        "pool.parcels nulls",
        "SET NULL",
    ),
    "foreign key to another placement": (
        (
            f"ALTER TABLE {OWN}.parcels ADD CONSTRAINT out FOREIGN KEY (tenant_id, crate_id) "
            "REFERENCES pool.crates (tenant_id, id)"
        ),
        "keys",
        f"{OWN}.parcels out",
        "leads out",
    ),
    "unique over all tenants": (
        "CREATE UNIQUE INDEX u ON pool.crates (label)",
        "keys",
        "pool.crates index u",
        "unique over",
    ),
    "index on an expression": (
        "CREATE INDEX e ON pool.crates (tenant_id, lower(label))",
        "operators",
        "index e",
        "expression",
    ),
    "index that is not leakproof": (
        "ALTER TABLE pool.crates ADD COLUMN price numeric; CREATE INDEX n ON pool.crates (tenant_id, price)",
        "operators",
        "index n",
        "price numeric",
    ),
    "trigger": (
        (
            "CREATE TRIGGER t BEFORE UPDATE ON pool.crates FOR EACH ROW "
            "EXECUTE FUNCTION suppress_redundant_updates_trigger()"
        ),
        "distribution",
        "pool.crates",
        "trigger t",
    ),
    "view that reads as its owner": (
        "CREATE VIEW pool.peek AS SELECT * FROM pool.crates; GRANT SELECT ON pool.peek TO tenantry_app",
        "views",
        "pool.peek",
        "as its owner",
    ),
    "materialized view": (
        "CREATE MATERIALIZED VIEW pool.kept AS SELECT * FROM pool.crates; GRANT SELECT ON pool.kept TO tenantry_app",
        "views",
        "pool.kept",
        "no row security",
    ),
    "definer function": (
        (
            "CREATE FUNCTION pool.all_crates() RETURNS bigint LANGUAGE sql SECURITY DEFINER "
            "AS 'SELECT count(*) FROM pool.crates'"
        ),
        "views",
        "pool.all_crates()",
        "owner's rights",
    ),
    "default privileges": (
        "ALTER DEFAULT PRIVILEGES FOR ROLE tenantry_owner IN SCHEMA pool GRANT SELECT ON TABLES TO PUBLIC",
        "default privileges",
        "pool",
        "PUBLIC gets SELECT",
    ),
}


class TestPlantedFaults:
    @pytest.mark.parametrize(("plant", "rule", "place", "reason"), FAULTS.values(), ids=FAULTS.keys())
    async def test_it_is_found(
        self, freight: Freight, surgery: asyncpg.Connection, plant: str, rule: str, place: str, reason: str
    ) -> None:
        await surgery.execute(plant)
        findings = await found(freight, surgery)
        assert [one for one in findings if one.rule == rule and place in one.place and reason in one.reason] != []

    @pytest.mark.parametrize(
        "plant",
        [
            FAULTS[name][0]
            for name in FAULTS
            if FAULTS[name][1]
            in {"roles", "row security", "policies", "grants", "undeclared table", "default privileges"}
            and name != "owns a table"
        ],
    )
    async def test_its_way_out_mends_it(self, freight: Freight, surgery: asyncpg.Connection, plant: str) -> None:
        await surgery.execute(plant)
        for finding in await found(freight, surgery):
            if not finding.way_out.endswith("."):
                await surgery.execute(finding.way_out)
        assert [one for one in await found(freight, surgery) if one.severity == "error"] == []

    async def test_a_view_with_the_rights_of_its_reader_is_fine(
        self, freight: Freight, surgery: asyncpg.Connection
    ) -> None:
        await surgery.execute(
            "CREATE VIEW pool.peek WITH (security_invoker = true) AS SELECT * FROM pool.crates;"
            "GRANT SELECT ON pool.peek TO tenantry_app"
        )
        assert [one for one in await found(freight, surgery) if one.rule == "views"] == []

    async def test_what_is_listed_with_a_reason_is_fine(self, freight: Freight, surgery: asyncpg.Connection) -> None:
        await surgery.execute(FAULTS["definer function"][0])
        declared = Declared(freight.chains, PLACEMENTS)
        allowed = {"pool.all_crates()": "counts for the status page"}
        findings = await examine_connection(surgery, declared, allowed=allowed)
        assert [one for one in findings if one.rule == "views"] == []

    async def test_a_database_that_is_behind_is_found(self, scratch: Freight) -> None:
        findings = await examine(scratch.urls, scratch.chains, [Placement.pool()])
        assert {one.rule for one in findings} == {"version", "missing table"}

    async def test_drift_is_found(self, scratch: Freight) -> None:
        await scratch.migrate()
        await scratch.execute("ALTER TABLE pool.crates ADD COLUMN colour text")
        (finding,) = await examine(scratch.urls, scratch.chains, [Placement.pool()])
        assert (finding.rule, finding.place) == ("drift", "pool")
        assert "colour" in finding.reason


class TestStart:
    """The short examination of a serving process, as the serving role itself."""

    @pytest.mark.parametrize("role", [DatabaseRole.APP, DatabaseRole.CONTROL, DatabaseRole.WORKER])
    async def test_a_good_database_is_accepted_quickly(self, freight: Freight, role: DatabaseRole) -> None:
        async with freight.connection(role) as connection:
            times = []
            for _ in range(10):
                began = time.perf_counter()
                await assert_safe_roles(connection, freight.chains, PLACEMENTS)
                times.append(time.perf_counter() - began)
        assert min(times) < 0.03

    async def test_a_bad_one_is_refused_with_the_sql_that_mends_it(self, scratch: Freight) -> None:
        await scratch.migrate()
        await scratch.execute("ALTER TABLE pool.crates NO FORCE ROW LEVEL SECURITY")
        async with scratch.connection(DatabaseRole.APP) as connection:
            with pytest.raises(UnsafeRole, match=r"ALTER TABLE pool\.crates FORCE ROW LEVEL SECURITY"):
                await assert_safe_roles(connection, scratch.chains, [Placement.pool()])

    async def test_what_only_costs_speed_does_not_stop_it(self, freight: Freight, surgery: asyncpg.Connection) -> None:
        await surgery.execute(
            "CREATE INDEX e ON pool.crates (tenant_id, lower(label)); CREATE TABLE pool.loose (a int)"
        )
        await assert_safe_roles(surgery, freight.chains, PLACEMENTS)


class TestModels:
    """Rules that are judged before a table exists."""

    def test_a_table_that_could_not_be_distributed_is_found(self) -> None:
        metadata = MetaData()
        Table("t", metadata, Column("tenant_id", Uuid, primary_key=True), Column("id", Uuid, primary_key=True))
        bad = Table(
            "bad",
            metadata,
            Column("id", Integer, Identity(), primary_key=True),
            Column("tenant_id", Uuid),
            Column("kind", Enum("a", "b", name="kind")),
            Column("other", ForeignKey("t.id", ondelete="SET NULL"), unique=True),
            UniqueConstraint("tenant_id", "kind"),
            Column("label", String, index=True, unique=True),
        )
        reasons = sorted(one.reason.partition(" ")[0] + " " + one.place for one in distribution_findings([bad]))
        assert len(reasons) == 7, reasons

    def test_columns_whose_comparison_could_leak_are_found(self) -> None:
        types = [Numeric(10, 2), Enum("a", name="e"), ARRAY(Integer), JSONB(), String(), Integer(), Float(), Uuid()]
        types.append(Enum("a", name="f", native_enum=False))
        columns = [Column(f"c{number}", kind) for number, kind in enumerate(types)]
        assert [one.place for one in leaking_findings(columns)] == ["c0", "c1", "c2", "c3"]

    @pytest.mark.parametrize(
        ("version", "number"), [((14, 30), 1), ((15, 13), 1), ((15, 14), 0), ((18, 0), 0), ((19, 0), 0)]
    )
    def test_an_old_server_is_found(self, version: tuple[int, int], number: int) -> None:
        assert len([*server_findings(*version)]) == number
