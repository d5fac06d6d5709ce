"""What must not run does not run: one message that names the cause and the way out, an exit code, no traceback."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from tests.process.conftest import SECRET, Installation
from tests.process.running import Commands, eventually

from planner.app import application
from tenantry.app import Assembly, Settings, refuse_unsafe, seeded
from tenantry.database import DatabaseRole
from tenantry.database.embedded.leaving import postmaster_of
from tenantry.kernel import ConfigurationError, Kind, load_settings

WRONG, AWAY = 2, 3
VERSION = "pool.application_version"
GRANT = "GRANT SELECT, INSERT, UPDATE, DELETE ON pool.items TO tenantry_app"


@pytest.fixture
def production(commands: Commands, installation: Installation) -> Commands:
    """A production configuration in which nothing is wrong."""
    return commands.with_(**installation.settings)


def newest(installation: Installation) -> str:
    return str(installation.sql(f"SELECT version_num FROM {VERSION}")[0][0])


@contextmanager
def altered(installation: Installation, change: str, back: str) -> Iterator[None]:
    installation.sql(f"{change};")
    try:
        yield
    finally:
        installation.sql(f"{back};")


class TestTheAddress:
    def test_a_taken_port_is_named_with_another_one(self, commands: Commands) -> None:
        with closing(socket.create_server(("127.0.0.1", 0))) as taken:
            port = taken.getsockname()[1]
            commands.run("dev", "--port", str(port)).refused(WRONG, f"127.0.0.1:{port}", "--port 0")
        assert not (commands.directory / ".tenantry" / "postgres").exists(), (
            "the port is taken before PostgreSQL is made"
        )

    @pytest.mark.parametrize("host", ["192.0.2.1", "nowhere.invalid"])
    def test_an_address_of_another_machine_is_named(self, commands: Commands, host: str) -> None:
        commands.run("dev", "--host", host, "--port", "0").refused(WRONG, f"{host}:0", "--host 127.0.0.1")


class TestTheDataDirectory:
    def test_one_of_another_postgres_major_names_both_versions_and_the_ways_out(self, commands: Commands) -> None:
        data = commands.directory / ".tenantry" / "postgres" / "data"
        data.mkdir(parents=True)
        data.parent.chmod(0o700)
        (data.parent / "boot.lock").touch()
        (data / "PG_VERSION").write_text("12\n")
        commands.run("dev", "--port", "0").refused(
            WRONG, str(data), "PostgreSQL 12", "TENANTRY_DATABASE_BINARIES", "pg_dumpall"
        )

    def test_one_that_may_not_be_written_is_named(self, commands: Commands) -> None:
        folder = commands.directory / "closed"
        folder.mkdir()
        folder.chmod(0o500)
        prefix: list[str] = []
        if os.geteuid() == 0:  # root may write everywhere, unless that capability is taken from it
            if shutil.which("setpriv") is None:
                pytest.skip("root without setpriv cannot give up its power over files")
            prefix = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"]
        ended = commands.with_(prefix=prefix).run("dev", "--port", "0", "--data-dir", folder / "data")
        ended.refused(WRONG, str(folder / "data"), "Permission denied", "--data-dir")

    def test_one_with_a_damaged_secret_says_so(self, commands: Commands) -> None:
        (commands.directory / ".tenantry").mkdir()
        (commands.directory / ".tenantry" / "secret.json").write_text("{")
        commands.run("dev", "--port", "0").refused(WRONG, "secret.json", "Remove it")


class TestTheDatabase:
    def test_one_that_nobody_serves_is_named_by_setting_and_address_without_the_password(
        self, production: Commands
    ) -> None:
        with closing(socket.create_server(("127.0.0.1", 0))) as free:
            port = free.getsockname()[1]
        url = f"postgresql://tenantry_app:hunter2@127.0.0.1:{port}/planner"
        ended = production.with_(TENANTRY_DATABASE_URL=url).run("serve", "--port", "0")
        ended.refused(
            AWAY, f"TENANTRY_DATABASE_URL: 127.0.0.1:{port}/planner", "Connection refused", "Start the server"
        )
        assert "hunter2" not in ended.err

    def test_every_url_that_is_wrong_is_named_at_once(self, production: Commands) -> None:
        nowhere = "postgresql://tenantry_x@nowhere.invalid/planner?sslmode=require"
        urls = {"TENANTRY_DATABASE_URL": nowhere, "TENANTRY_DATABASE_PLATFORM_URL": nowhere}
        production.with_(**urls).run("serve", "--port", "0").refused(
            AWAY, "TENANTRY_DATABASE_URL: nowhere.invalid", "TENANTRY_DATABASE_PLATFORM_URL: nowhere.invalid"
        )

    def test_a_missing_database_names_the_command_that_prints_the_sql(self, production: Commands) -> None:
        owner = production.settings["TENANTRY_DATABASE_OWNER_URL"].replace("/planner?", "/absent?")
        production.with_(TENANTRY_DATABASE_OWNER_URL=owner).run("migrate").refused(
            AWAY, "TENANTRY_DATABASE_OWNER_URL", "/absent", "tenantry provision"
        )

    @pytest.mark.parametrize(
        "url", ["planner", "mysql://root@localhost/planner", "postgresql://root@localhost", "postgresql://[::1/planner"]
    )
    def test_a_url_that_is_none_shows_how_one_looks(self, production: Commands, url: str) -> None:
        production.with_(TENANTRY_DATABASE_OWNER_URL=url).run("migrate").refused(
            WRONG, "TENANTRY_DATABASE_OWNER_URL", "postgresql://user:password@host:5432/database"
        )

    def test_a_database_that_is_behind_names_the_command_that_mends_it(
        self, production: Commands, installation: Installation
    ) -> None:
        with altered(
            installation, f"DELETE FROM {VERSION}", f"INSERT INTO {VERSION} VALUES ('{newest(installation)}')"
        ):
            production.run("serve", "--port", "0").refused(WRONG, "planner/tenant is at nothing", "tenantry migrate")

    def test_a_database_that_is_ahead_asks_for_the_newer_release(
        self, production: Commands, installation: Installation
    ) -> None:
        update = f"UPDATE {VERSION} SET version_num ="
        with altered(installation, f"{update} '9999'", f"{update} '{newest(installation)}'"):
            production.run("serve", "--port", "0").refused(
                WRONG, "planner/tenant is at 9999", "Start the newer release"
            )
            ended = production.run("migrate")
            assert (ended.code, "9999" in ended.out, "Traceback" in ended.err) == (1, True, False)

    def test_an_outage_answers_503_with_retry_after_and_ends_by_itself(
        self, production: Commands, installation: Installation
    ) -> None:
        with production.start("serve") as server:
            server.ready()
            postmaster = postmaster_of(installation.server.home / "data")
            assert postmaster is not None
            os.kill(postmaster, signal.SIGKILL)
            try:
                eventually(lambda: server.status("/readyz") == 503)
                answer = server.call("POST", "/auth/login", json={"email": "a@b.test", "password": "hello world"})
                assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
                assert answer.json()["code"] == "database_unavailable"
                assert server.status("/healthz") == 200
            finally:
                installation.server.start()
            eventually(lambda: server.status("/readyz") == 200)
            answer = server.call("POST", "/auth/login", json={"email": "a@b.test", "password": "hello world"})
            assert answer.status_code == 401
            assert server.end() == 0


class TestTheRoles:
    """A role that could get around row security is refused, whichever way it could."""

    @pytest.mark.parametrize(
        ("change", "back", "reason"),
        [
            ("ALTER ROLE tenantry_app SUPERUSER", "ALTER ROLE tenantry_app NOSUPERUSER", "it is a superuser"),
            ("ALTER ROLE tenantry_app BYPASSRLS", "ALTER ROLE tenantry_app NOBYPASSRLS", "it has BYPASSRLS"),
            (
                "GRANT tenantry_owner TO tenantry_app",
                "REVOKE tenantry_owner FROM tenantry_app",
                "it is a member of tenantry_owner",
            ),
            (
                "ALTER TABLE pool.items OWNER TO tenantry_app",
                f"ALTER TABLE pool.items OWNER TO tenantry_owner; {GRANT}",
                "it owns the table pool.items",
            ),
            (
                "ALTER TABLE pool.items NO FORCE ROW LEVEL SECURITY",
                "ALTER TABLE pool.items FORCE ROW LEVEL SECURITY",
                "pool.items: row security is off: FORCE is missing",
            ),
        ],
    )
    def test_one_with_too_much_power_is_refused_with_the_sql_that_takes_it(
        self, production: Commands, installation: Installation, change: str, back: str, reason: str
    ) -> None:
        with altered(installation, change, back):
            production.run("serve", "--port", "0").refused(WRONG, reason, "A database role could bypass row security")

    def test_without_such_a_fault_the_same_installation_serves(self, production: Commands) -> None:
        with production.start("serve") as server:
            server.ready()
            assert server.end() == 0

    def test_a_url_that_signs_in_as_somebody_else_is_refused(
        self, production: Commands, installation: Installation
    ) -> None:
        superuser = installation.server.url("planner", installation.server.superuser)
        production.with_(TENANTRY_DATABASE_URL=superuser).run("serve", "--port", "0").refused(
            WRONG, "TENANTRY_DATABASE_URL signs in as 'postgres'", "only tenantry_app"
        )
        owner = production.settings["TENANTRY_DATABASE_OWNER_URL"]
        production.with_(TENANTRY_DATABASE_CONTROL_URL=owner).run("serve", "--port", "0").refused(
            WRONG, "TENANTRY_DATABASE_CONTROL_URL signs in as 'tenantry_owner'", "only tenantry_control"
        )


class TestTheConfiguration:
    @pytest.mark.parametrize(
        ("settings", "said"),
        [
            ({"TENANTRY_IDENTITY_SECRET": ""}, "TENANTRY_IDENTITY_SECRET is not set"),
            ({"TENANTRY_IDENTITY_SECRET": "short"}, "TENANTRY_IDENTITY_SECRET: Value error, use at least 32 bytes"),
            ({"TENANTRY_IDENTITY_SECRET": "changethis-" + SECRET}, "looks like a placeholder"),
            ({"TENANTRY_IDENTITY_SECRET": "ab" * 32}, "repeats a few characters"),
            ({"TENANTRY_IDENTITY_SIGNING_KEYS": ""}, "TENANTRY_IDENTITY_SIGNING_KEYS is not set"),
            ({"TENANTRY_IDENTITY_ISSUER": "http://id.example.com"}, "TENANTRY_IDENTITY_ISSUER is an http address"),
            ({"TENANTRY_DEBUG": "true"}, "TENANTRY_DEBUG: debugging is on in production"),
            ({"TENANTRY_HTTP_CORS_ORIGINS": "*", "TENANTRY_HTTP_CORS_CREDENTIALS": "true"}, "cors_credentials"),
            ({"TENANTRY_DATABASE_URL": ""}, "TENANTRY_DATABASE_URL is not set"),
            ({"TENANTRY_DATABASE_PLATFORM_URL": ""}, "TENANTRY_DATABASE_PLATFORM_URL is not set"),
            ({"TENANTRY_DATABASE_URL": "postgresql://a@db.internal/p"}, "leads to another machine without TLS"),
            ({"TENANTRY_DATABSE_URL": "x"}, "unknown setting; did you mean TENANTRY_DATABASE_URL?"),
            ({"TENANTRY_XYZZY": "x"}, "TENANTRY_XYZZY: unknown setting; see: tenantry settings"),
            ({"TENANTRY_DATABASE_POOL_SIZE": "0"}, "TENANTRY_DATABASE_POOL_SIZE: Input should be greater than"),
        ],
    )
    def test_what_production_must_not_have_is_refused_by_name(
        self, production: Commands, settings: dict[str, str], said: str
    ) -> None:
        with pytest.raises(ConfigurationError) as refused:
            refuse_unsafe(load_settings(Settings, {**production.settings, **settings}))
        assert said in refused.value.detail
        assert refused.value.kind is Kind.CONFIGURATION

    def test_a_configuration_in_which_nothing_is_wrong_is_accepted(self, production: Commands) -> None:
        refuse_unsafe(load_settings(Settings, production.settings))

    def test_all_problems_are_named_at_once_and_no_value_is_shown(self, production: Commands) -> None:
        bad = production.with_(
            TENANTRY_DEBUG="true", TENANTRY_IDENTITY_SECRET="changeme-0123456789-0123456789-0123456789",
            TENANTRY_IDENTITY_ISSUER="http://id.example.com", TENANTRY_DATABASE_CONTROL_URL="",
        )  # fmt: skip
        ended = bad.run("serve", "--port", "0")
        ended.refused(
            WRONG, "TENANTRY_DEBUG", "TENANTRY_IDENTITY_SECRET", "TENANTRY_IDENTITY_ISSUER",
            "TENANTRY_DATABASE_CONTROL_URL",
        )  # fmt: skip
        assert "changeme" not in ended.err

        bad = production.with_(TENANTRY_DATABASE_POOL_SIZE="many", TENANTRY_DATABSE_URL="postgresql://u:hunter2@h/d")
        ended = bad.run("serve", "--port", "0")
        ended.refused(WRONG, "TENANTRY_DATABASE_POOL_SIZE", "did you mean TENANTRY_DATABASE_URL?")
        assert not {word for word in ("many", "hunter2") if word in ended.err}

    def test_dev_refuses_production_and_makes_nothing(self, commands: Commands) -> None:
        commands.with_(TENANTRY_ENVIRONMENT="production").run("dev").refused(
            WRONG, "`tenantry dev` makes accounts with a published password", "tenantry serve"
        )
        assert list(commands.directory.iterdir()) == []


def test_the_demo_refuses_production_whoever_asks_for_it(production: Commands) -> None:
    settings = load_settings(Settings, production.settings)
    assembly = cast("Assembly", SimpleNamespace(settings=settings, application=application))
    with pytest.raises(ConfigurationError, match="refuses to run in production"):
        asyncio.run(seeded(assembly))


def test_the_five_roles_of_the_settings_are_those_of_the_database(production: Commands) -> None:
    named = {name for name in production.settings if name.startswith("TENANTRY_DATABASE_")}
    assert len(named) == len(DatabaseRole)
    assert Path(production.settings["TENANTRY_IDENTITY_SIGNING_KEYS"]).is_file()
