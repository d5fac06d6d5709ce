"""Migrations: exactly once, whole or not at all, place by place, and the same as the models in the end."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
from tests.database.freight.conftest import OWN_SCHEMA, Freight

from tenantry.database import DatabaseRole, DatabaseUrls, Placement, Plane, SchemaBehind
from tenantry.database.migrations import (
    NothingChanged,
    Outcome,
    create_placement_schema,
    drift,
    migrate,
    pending,
    require_current,
    revision,
    rewind,
)
from tenantry.database.provisioning import schema_statements
from tenantry.kernel import ConfigurationError

pytestmark = pytest.mark.anyio

POOL = Placement.pool()
ROW = "VALUES (gen_random_uuid(), gen_random_uuid(), 'a crate', {weight})"


def places(number: int) -> list[Placement]:
    return [Placement.schema_for(uuid.UUID(int=place + 1)) for place in range(number)]


async def with_places(scratch: Freight, number: int) -> list[Placement]:
    """Migrate the scratch database and give it some tenants' own schemas, each with a crate."""
    await scratch.migrate()
    made = places(number)
    for placement in made:
        await create_placement_schema(scratch.urls, scratch.chains, placement)
        await scratch.execute(f"INSERT INTO {placement.schema}.crates {ROW.format(weight=1)}")
    return [POOL, *made]


async def columns(scratch: Freight, placement: Placement, table: str = "crates") -> set[str]:
    query = "SELECT array_agg(attname::text) FROM pg_attribute WHERE attnum > 0 AND attrelid = "
    return set(await scratch.value(f"{query} '{placement.schema}.{table}'::regclass"))


class TestExactlyOnce:
    async def test_two_runners_at_once_apply_each_step_once(self, scratch: Freight) -> None:
        await with_places(scratch, 4)
        scratch.write("0002", "op.add_column('crates', sa.Column('colour', sa.Text()))")
        reports = await asyncio.gather(
            *(migrate(scratch.urls, scratch.chains, [POOL, *places(4)], parallel=2) for _ in range(3))
        )
        applied = Counter((one.place, *one.applied) for report in reports for one in report.outcomes if one.applied)
        assert applied == Counter((place.schema, "freight/tenant:0002") for place in (POOL, *places(4)))
        assert [report.failed for report in reports] == [[], [], []]

    async def test_a_second_run_has_nothing_to_do(self, scratch: Freight) -> None:
        await scratch.migrate()
        report = await migrate(scratch.urls, scratch.chains, [POOL])
        assert [outcome.applied for outcome in report.outcomes] == [(), (), ()]

    async def test_a_placement_that_appears_during_the_run_is_migrated_too(self, scratch: Freight) -> None:
        (first,) = places(1)

        @dataclass
        class Growing:
            asked: count[int] = field(default_factory=count)

            async def placements(self) -> list[Placement]:
                if next(self.asked) == 0:
                    return [POOL]
                async with scratch.connection(DatabaseRole.OWNER) as owner:
                    await owner.execute(";".join(schema_statements(first.schema)))
                return [POOL, first]

        report = await migrate(scratch.urls, scratch.chains, Growing())
        assert [outcome.place for outcome in report.outcomes] == ["control", "shared", "pool", first.schema]
        assert await pending(scratch.urls, scratch.chains, [POOL, first]) == []


class TestWholeOrNotAtAll:
    async def test_a_failing_placement_is_reported_and_the_others_go_on(self, scratch: Freight) -> None:
        placements = await with_places(scratch, 3)
        bad = placements[2]
        await scratch.execute(f"UPDATE {bad.schema}.crates SET weight = -5")
        scratch.write("0002", "op.create_check_constraint('ck_crates_weight', 'crates', 'weight >= 0')")
        report = await migrate(scratch.urls, scratch.chains, placements)
        assert [(one.place, one.applied) for one in report.failed] == [(bad.schema, ())]
        assert "ck_crates_weight" in str(report.failed[0].error)
        assert report.exit_code == 1
        assert [gap.place for gap in await pending(scratch.urls, scratch.chains, placements)] == [bad.schema]
        await scratch.execute(f"UPDATE {bad.schema}.crates SET weight = 5")
        again = await migrate(scratch.urls, scratch.chains, placements)
        assert [one.place for one in again.outcomes if one.applied] == [bad.schema]
        assert again.exit_code == 0

    async def test_a_step_that_fails_in_its_middle_leaves_nothing(self, scratch: Freight) -> None:
        await scratch.migrate()
        scratch.write("0002", "op.add_column('crates', sa.Column('colour', sa.Text())); op.execute('SELECT 1 / 0')")
        report = await migrate(scratch.urls, scratch.chains, [POOL])
        assert "DivisionByZero" in str(report.failed[0].error)
        assert "colour" not in await columns(scratch, POOL)
        assert await scratch.value("SELECT version_num FROM pool.freight_version") == "0001"

    async def test_what_came_before_the_failing_step_stays(self, scratch: Freight) -> None:
        scratch.write("0002", "op.execute('SELECT 1 / 0')")
        report = await migrate(scratch.urls, scratch.chains, [POOL])
        assert [one.applied for one in report.failed] == [("freight/tenant:0001",)]

    @pytest.mark.parametrize("way", ["cancelled", "terminated"])
    async def test_a_run_that_is_stopped_leaves_whole_versions_and_no_lock(self, scratch: Freight, way: str) -> None:
        placements = await with_places(scratch, 2)
        scratch.write(
            "0002", "op.add_column('crates', sa.Column('colour', sa.Text())); op.execute('SELECT pg_sleep(0.4)')"
        )
        running = asyncio.create_task(migrate(scratch.urls, scratch.chains, placements))
        await _until(scratch, "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
        if way == "cancelled":
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
        else:
            await scratch.value("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
            assert [one.place for one in (await running).failed] == ["pool"]
        for placement in placements:
            version = await scratch.value(f"SELECT version_num FROM {placement.schema}.freight_version")
            assert ("colour" in await columns(scratch, placement)) is (version == "0002")
        async with asyncio.timeout(5):
            await scratch.migrate(*placements)
        assert "colour" in await columns(scratch, placements[-1])

    async def test_placements_wait_for_a_control_plane_that_failed(self, scratch: Freight) -> None:
        scratch.write("0002", "op.execute('SELECT 1 / 0')", plane=Plane.CONTROL)
        report = await migrate(scratch.urls, scratch.chains, [POOL])
        assert [outcome.place for outcome in report.outcomes] == ["control"]

    async def test_a_database_that_cannot_be_reached_is_reported(self, scratch: Freight) -> None:
        urls = DatabaseUrls({DatabaseRole.OWNER: "postgresql://tenantry_owner@/nowhere?host=/nowhere"})
        report = await migrate(urls, scratch.chains, [POOL])
        assert [outcome.place for outcome in report.failed] == ["control"]


class TestLocks:
    async def test_a_busy_table_is_tried_again(self, scratch: Freight) -> None:
        await scratch.migrate()
        scratch.write("0002", "op.timeouts(lock='100ms'); op.add_column('crates', sa.Column('colour', sa.Text()))")
        async with scratch.connection() as busy:
            await busy.execute("BEGIN; LOCK TABLE pool.crates IN ACCESS SHARE MODE")
            running = asyncio.create_task(migrate(scratch.urls, scratch.chains, [POOL]))
            await asyncio.sleep(0.4)
            assert not running.done()
            await busy.execute("COMMIT")
            assert (await running).failed == []

    async def test_an_index_is_built_beside_writers_and_again_after_a_failure(self, scratch: Freight) -> None:
        placements = await with_places(scratch, 1)
        await scratch.execute(f"INSERT INTO pool.crates {ROW.format(weight=1)}")
        await scratch.execute("CREATE UNIQUE INDEX CONCURRENTLY ix_crates_weight ON pool.crates (tenant_id, weight)")
        await scratch.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'pool.ix_crates_weight'::regclass"
        )
        scratch.write("0002", "op.create_index_concurrently('ix_crates_weight', 'crates', ['tenant_id', 'weight'])")
        await scratch.migrate(*placements)
        for placement in placements:
            index = f"'{placement.schema}.ix_crates_weight'::regclass"
            assert await scratch.value(
                f"SELECT indisvalid AND NOT indisunique FROM pg_index WHERE indexrelid = {index}"
            )

    async def test_a_step_that_leaves_its_transaction_does_nothing_else(self, scratch: Freight) -> None:
        index = "op.create_index_concurrently('ix_crates_weight', 'crates', ['weight'])"
        scratch.write("0002", f"op.execute('SELECT 1'); {index}")
        with pytest.raises(ConfigurationError, match="must do nothing else"):
            await migrate(scratch.urls, scratch.chains, [POOL])


class TestRowSecurityDuringMigrations:
    async def test_an_update_that_would_change_nothing_under_force_is_an_error(self, scratch: Freight) -> None:
        await with_places(scratch, 0)
        scratch.write("0002", "op.execute('UPDATE crates SET weight = 2')")
        report = await migrate(scratch.urls, scratch.chains, [POOL])
        assert "row-level security" in str(report.failed[0].error)

    async def test_a_foreign_key_is_checked_against_the_rows_that_are_there(self, scratch: Freight) -> None:
        await scratch.migrate()
        await scratch.execute("ALTER TABLE pool.parcels DROP CONSTRAINT fk_parcels_tenant_id_crate_id")
        await scratch.execute(
            "INSERT INTO pool.parcels " + ROW.format(weight="").replace("'a crate', ", "gen_random_uuid()")
        )
        key = "'parcels', 'crates', {'tenant_id': 'tenant_id', 'crate_id': 'id'}"
        scratch.write("0002", f"op.add_tenant_foreign_key('fk_parcels_tenant_id_crate_id', {key}, ondelete='CASCADE')")
        report = await migrate(scratch.urls, scratch.chains, [POOL])
        assert "ForeignKeyViolationError" in str(report.failed[0].error)
        await scratch.execute("TRUNCATE pool.parcels")
        await scratch.migrate()
        assert await drift(scratch.urls, scratch.chains, [POOL]) == []

    async def test_a_foreign_key_that_would_null_the_tenant_is_refused(self, scratch: Freight) -> None:
        scratch.write("0002", "op.add_tenant_foreign_key('k', 'a', 'b', {'c': 'd'}, ondelete='SET NULL')")
        with pytest.raises(ValueError, match="only RESTRICT or CASCADE"):
            await migrate(scratch.urls, scratch.chains, [POOL])


class TestKnowingWhereItStands:
    async def test_nothing_is_pending_on_a_migrated_database(self, freight: Freight) -> None:
        assert await pending(freight.urls, freight.chains, [POOL, OWN_SCHEMA]) == []
        await require_current(freight.urls, freight.chains, [POOL, OWN_SCHEMA])

    async def test_an_empty_database_is_behind_in_every_place(self, scratch: Freight) -> None:
        gaps = await pending(scratch.urls, scratch.chains, [POOL])
        assert [(gap.place, gap.version, gap.is_ahead) for gap in gaps] == [
            ("control", None, False),
            ("shared", None, False),
            ("pool", None, False),
        ]

    async def test_a_process_that_is_ahead_of_the_database_is_told_to_migrate(self, scratch: Freight) -> None:
        await scratch.migrate()
        scratch.write("0002", "pass")
        with pytest.raises(
            SchemaBehind, match="pool: freight/tenant is at 0001, this code needs 0002\nRun: tenantry migrate"
        ):
            await require_current(scratch.urls, scratch.chains, [POOL])

    async def test_older_code_neither_starts_nor_migrates(self, scratch: Freight) -> None:
        await scratch.migrate()
        await scratch.execute("UPDATE pool.freight_version SET version_num = '0009'")
        with pytest.raises(SchemaBehind, match="Start the newer release"):
            await require_current(scratch.urls, scratch.chains, [POOL])
        report = await migrate(scratch.urls, scratch.chains, [POOL])
        assert [one.place for one in report.failed] == ["pool"]

    async def test_a_serving_process_can_ask_without_the_owners_url(self, freight: Freight) -> None:
        serving = {role: freight.urls.of(role) for role in (DatabaseRole.APP, DatabaseRole.CONTROL)}
        assert await pending(DatabaseUrls(serving), freight.chains, [POOL, OWN_SCHEMA]) == []

    async def test_a_dry_run_shows_the_sql_and_changes_nothing(self, scratch: Freight) -> None:
        seen: list[Outcome] = []
        report = await migrate(scratch.urls, scratch.chains, [POOL], dry_run=True, progress=seen.append)
        assert seen == report.outcomes
        assert [one.applied for one in seen] == [
            (f"freight/{plane}:0001",) for plane in ("control", "shared", "tenant")
        ]
        assert "CREATE TABLE crates" in seen[-1].sql
        assert await scratch.value("SELECT to_regclass('pool.crates')") is None


class TestFiles:
    async def test_upgrade_downgrade_and_upgrade_end_where_they_began(self, scratch: Freight) -> None:
        await scratch.migrate()
        await scratch.execute("INSERT INTO control.depots VALUES (gen_random_uuid(), 'north')")
        for plane, schema in ((Plane.TENANT, "pool"), (Plane.SHARED, "shared"), (Plane.CONTROL, "control")):
            outcome = await rewind(scratch.urls, scratch.chain(plane), schema, to=None)
            assert outcome.applied == (f"freight/{plane}:0001",)
        assert await scratch.value("SELECT to_regclass('control.depots')") is None
        await scratch.migrate()
        assert await drift(scratch.urls, scratch.chains, [POOL]) == []

    async def test_two_heads_are_refused(self, scratch: Freight) -> None:
        for name in ("one", "two"):
            scratch.write("0002", "pass")
            directory = scratch.chain(Plane.TENANT).script_location
            file = directory / "0002_pre_by_hand.py"
            file.rename(directory / f"0002_pre_{name}.py").write_text(
                (directory / f"0002_pre_{name}.py").read_text().replace("'0002'", f"'{name}'")
            )
        with pytest.raises(ConfigurationError, match="2 heads"):
            await migrate(scratch.urls, scratch.chains, [POOL])

    async def test_a_file_says_its_number_and_its_phase(self, scratch: Freight) -> None:
        scratch.write("0002", "pass")
        file = scratch.chain(Plane.TENANT).script_location / "0002_pre_by_hand.py"
        file.rename(file.with_name("add_colour.py"))
        with pytest.raises(ConfigurationError, match="must be named 0002_pre_"):
            await migrate(scratch.urls, scratch.chains, [POOL])


DRIFTS = {
    "column missing": "ALTER TABLE {}crates DROP COLUMN details",
    "column added": "ALTER TABLE {}crates ADD COLUMN colour text",
    "type": "ALTER TABLE {}crates ALTER COLUMN label TYPE varchar(40)",
    "nullable": "ALTER TABLE {}crates ALTER COLUMN weight DROP NOT NULL",
    "default": "ALTER TABLE {}crates ALTER COLUMN weight SET DEFAULT 5",
    "check missing": "ALTER TABLE {}crates DROP CONSTRAINT ck_crates_label_not_empty",
    "check added": "ALTER TABLE {}crates ADD CONSTRAINT ck_crates_weight CHECK (weight > 0)",
    "index missing": "DROP INDEX {}ix_parcels_tenant_id_crate_id",
    "foreign key missing": "ALTER TABLE {}parcels DROP CONSTRAINT fk_parcels_tenant_id_crate_id",
    "table missing": "DROP TABLE {}parcels",
    "not forced": "ALTER TABLE {}crates NO FORCE ROW LEVEL SECURITY",
    "not enabled": "ALTER TABLE {}crates DISABLE ROW LEVEL SECURITY",
    "wall missing": "DROP POLICY tenant_wall ON {}crates",
    "wall changed": "ALTER POLICY tenant_wall ON {}crates USING (tenant_id IS NOT NULL)",
    "policy added": "CREATE POLICY more ON {}crates TO tenantry_app USING (weight > 1)",
    "grant missing": "REVOKE INSERT ON {}crates FROM tenantry_app",
    "grant added": "GRANT UPDATE ON {}parcels TO tenantry_app",
    "grant to another role": "GRANT SELECT ON {}parcels TO tenantry_worker",
    "truncate": "GRANT TRUNCATE ON {}parcels TO tenantry_app",
    "grant to everybody": "GRANT SELECT ON {}parcels TO PUBLIC",
    "grant on a column": "GRANT UPDATE (crate_id) ON {}parcels TO tenantry_app",
    "unlogged": "ALTER TABLE {}parcels SET UNLOGGED",
    "control policy missing": "DROP POLICY own_rows ON control.keyholders",
    "control grant added": "GRANT SELECT ON control.depots TO tenantry_platform",
}


class TestDrift:
    async def test_a_migrated_database_has_none(self, freight: Freight) -> None:
        assert await drift(freight.urls, freight.chains, [POOL, OWN_SCHEMA]) == []

    @pytest.mark.parametrize("change", DRIFTS.values(), ids=DRIFTS.keys())
    async def test_every_change_is_seen_and_the_generated_migration_ends_it(
        self, scratch: Freight, change: str
    ) -> None:
        await scratch.migrate()
        await scratch.execute(change.format("pool."))
        found = await drift(scratch.urls, scratch.chains, [POOL])
        assert found != []
        plane = Plane.CONTROL if "control." in change else Plane.TENANT
        path = await revision(scratch.urls, scratch.chain(plane), "mend it", phase="post")
        assert path.name == "0002_post_mend_it.py"
        await scratch.migrate()
        assert await drift(scratch.urls, scratch.chains, [POOL]) == []
        await rewind(scratch.urls, scratch.chain(plane), "pool" if plane is Plane.TENANT else plane.value, to="0001")

    async def test_a_change_in_one_placement_alone_is_seen_there(self, scratch: Freight) -> None:
        placements = await with_places(scratch, 2)
        await scratch.execute(f"ALTER TABLE {placements[1].schema}.crates DROP COLUMN details")
        await scratch.execute(f"ALTER TABLE {placements[2].schema}.parcels NO FORCE ROW LEVEL SECURITY")
        found = await drift(scratch.urls, scratch.chains, placements)
        assert [line.partition(":")[0] for line in found] == [placements[1].schema, placements[2].schema]


class TestGenerator:
    async def test_without_a_difference_nothing_is_written(self, scratch: Freight) -> None:
        await scratch.migrate()
        before = [*scratch.chain(Plane.TENANT).script_location.iterdir()]
        with pytest.raises(NothingChanged):
            await revision(scratch.urls, scratch.chain(Plane.TENANT), "nothing")
        assert {*scratch.chain(Plane.TENANT).script_location.glob("*.py")} == {one for one in before if one.is_file()}

    async def test_a_database_that_is_behind_cannot_be_compared(self, scratch: Freight) -> None:
        with pytest.raises(ConfigurationError, match="Run: tenantry migrate"):
            await revision(scratch.urls, scratch.chain(Plane.TENANT), "early")

    def test_what_it_writes_is_laid_out_like_the_rest(self, first_migrations: Path) -> None:
        files = [*first_migrations.glob("*/*.py")]
        assert len(files) == len(Plane)
        assert max(len(line) for file in files for line in file.read_text().splitlines()) <= 120

    async def test_an_empty_frame_can_be_asked_for(self, scratch: Freight) -> None:
        await scratch.migrate()
        path = await revision(scratch.urls, scratch.chain(Plane.TENANT), "Count the crates", empty=True)
        assert "op.timeouts(" in path.read_text()
        await scratch.migrate()


async def _until(scratch: Freight, query: str) -> None:
    for _ in range(500):
        if await scratch.value(query) is not None:
            return
        await asyncio.sleep(0.01)
    raise TimeoutError(query)
