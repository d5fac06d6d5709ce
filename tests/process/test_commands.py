"""The command line as its users type it."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator

import pytest
import typer
from tests.process.conftest import Installation
from tests.process.running import TENANTRY, Commands, Running, patience

from tenantry.cli.root import app

NOT_FOUND, CONFLICT, INVALID = 4, 5, 6
WRONG = 2


def every_command(group: object, path: str = "tenantry") -> Iterator[tuple[str, str]]:
    """Yield each command's full name and its help."""
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        if hasattr(command, "commands"):
            yield from every_command(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command.help or ""


class TestHelp:
    def test_each_command_shows_an_example_of_itself(self) -> None:
        without = [
            name
            for name, text in every_command(typer.main.get_command(app))
            if name not in text.partition("Example:")[2]
        ]
        assert without == []

    def test_it_is_there_at_once(self) -> None:
        took = []
        for _ in range(5):
            began = time.monotonic()
            subprocess.run([TENANTRY, "--help"], capture_output=True, check=True)
            took.append(time.monotonic() - began)
        assert min(took) < patience(0.8)


class TestWithoutAnySettings:
    """Where `tenantry dev` was started, the other commands work on its data without being told."""

    def test_migrate_says_for_each_place_that_nothing_is_missing(self, commands_of_demo: Commands) -> None:
        assert commands_of_demo.run("migrate").out == "control: at head\nshared: at head\npool: at head\n"

    def test_doctor_finds_nothing(self, commands_of_demo: Commands) -> None:
        ended = commands_of_demo.run("doctor", "--json")
        assert (ended.code, json.loads(ended.out)) == (0, [])

    def test_a_tenant_is_made_with_its_owner_listed_suspended_and_resumed(
        self, commands_of_demo: Commands, demo: Running
    ) -> None:
        made = commands_of_demo.run(
            "user", "create", "Ann@Command.test", "--name", "Ann", "--json", stdin="a long password\n"
        )
        assert (made.code, json.loads(made.out)["email"]) == (0, "ann@command.test")
        made = commands_of_demo.run(
            "tenant", "create", "Command Ltd", "command", "--owner", "ann@command.test", "--json"
        )
        assert (made.code, json.loads(made.out)[0]["slug"]) == (0, "command")
        small = commands_of_demo.with_(TENANTRY_HTTP_PAGE_SIZE="1", TENANTRY_HTTP_MAX_PAGE_SIZE="1")
        listed = json.loads(small.run("tenant", "list", "--json").out)
        assert {tenant["slug"] for tenant in listed} >= {"default", "acme", "globex", "command"}

        login = {"email": "ann@command.test", "password": "a long password"}
        token = demo.call("POST", "/auth/login", json=login).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}", "X-Tenant-Slug": "command"}
        assert demo.call("GET", "/items", headers=headers).status_code == 200
        assert commands_of_demo.run("tenant", "suspend", "command").code == 0
        assert demo.call("GET", "/items", headers=headers).status_code == 403, "the running server heard of it"
        assert commands_of_demo.run("tenant", "resume", "command").code == 0
        assert demo.call("GET", "/items", headers=headers).status_code == 200

    def test_what_exists_or_does_not_is_told_by_the_exit_code(self, commands_of_demo: Commands) -> None:
        commands_of_demo.run("tenant", "create", "Acme", "acme", "--owner", "owner@acme.test").refused(CONFLICT, "slug")
        commands_of_demo.run("tenant", "suspend", "nobody").refused(NOT_FOUND, "'nobody'", "tenantry tenant list")
        commands_of_demo.run("tenant", "create", "A", "Not A Slug", "--owner", "owner@acme.test").refused(
            INVALID, "SLUG"
        )
        commands_of_demo.run("tenant", "create", "A", "abc", "--owner", "x@y.test").refused(
            NOT_FOUND, "tenantry user create"
        )
        commands_of_demo.run("user", "create", "nobody", stdin="a long password\n").refused(INVALID, "EMAIL")
        commands_of_demo.run("user", "create", "a@b.test", stdin="short\n").refused(INVALID, "8 to 128 characters")

    def test_the_shell_has_the_application_assembled(self, commands_of_demo: Commands) -> None:
        said = commands_of_demo.run("shell", stdin="print('title:', assembly.application.title)\n")
        assert (said.code, "title: Planner" in said.out) == (0, True)

    def test_a_new_migration_without_a_change_says_so(self, commands_of_demo: Commands) -> None:
        commands_of_demo.run("migration", "new", "planner/tenant", "nothing").refused(INVALID, "agree")
        commands_of_demo.run("migration", "new", "planner/nowhere", "x").refused(WRONG, "planner/tenant")

    def test_elsewhere_they_are_in_production_and_name_both_ways_out(self, commands: Commands) -> None:
        for arguments in (["migrate"], ["doctor"], ["tenant", "list"]):
            commands.run(*arguments).refused(WRONG, "docs/operations.md", "tenantry dev", "--data-dir")

    def test_with_the_data_directory_named_they_work_from_elsewhere(
        self, commands: Commands, commands_of_demo: Commands
    ) -> None:
        data = commands_of_demo.directory / ".tenantry"
        assert commands.run("tenant", "list", "--data-dir", data).code == 0
        assert commands.with_(TENANTRY_DATA_DIR=str(data)).run("migrate").code == 0
        commands.with_(TENANTRY_ENVIRONMENT="production").run("migrate", "--data-dir", data).refused(WRONG, "_URL")


class TestOnAnOwnServer:
    def test_with_the_urls_of_the_roles_every_command_works_in_production(
        self, commands: Commands, installation: Installation
    ) -> None:
        production = commands.with_(**installation.settings)
        assert json.loads(production.run("migrate", "--json").out) == [
            {"place": place, "applied": [], "error": None} for place in ("control", "shared", "pool")
        ]
        assert production.run("doctor").out == "no findings\n"
        assert production.run("user", "create", "o@own.test", "--superadmin", stdin="a long password\n").code == 0
        made = production.run("tenant", "create", "Own", "own", "--owner", "o@own.test", "--placement", "schema")
        assert made.code == 0, made.err
        assert "\nt_" in production.run("migrate").out, "the schema of the tenant is migrated too"
        assert list(commands.directory.iterdir()) == [], "production leaves nothing in the directory"

    def test_without_the_owners_url_migrate_names_the_setting(
        self, commands: Commands, installation: Installation
    ) -> None:
        production = commands.with_(**{**installation.settings, "TENANTRY_DATABASE_OWNER_URL": ""})
        production.run("migrate").refused(WRONG, "TENANTRY_DATABASE_OWNER_URL is not set")

    def test_with_one_url_development_makes_the_database_and_comes_back_to_it(
        self, commands: Commands, installation: Installation
    ) -> None:
        installation.sql(
            "CREATE ROLE maker LOGIN CREATEROLE CREATEDB; GRANT tenantry_owner TO maker WITH ADMIN OPTION;"
        )
        url = installation.settings["TENANTRY_DATABASE_URL"].replace("tenantry_app", "maker")
        own = commands.with_(TENANTRY_DATABASE_URL=url.replace("/planner?", "/mine?"))
        for said in (r"\d+ applied", "nothing to do"):
            with own.start("dev") as server:
                server.ready()
                assert re.search(f"Migrations: {said}", server.out)
                assert server.call("GET", "/items", headers=server.headers()).status_code == 200
                server.end()
        assert own.run("doctor").out == "no findings\n"
        assert not (commands.directory / ".tenantry" / "postgres").exists()


class TestWithoutADatabase:
    def test_routes_and_the_openapi_document_name_the_same_operations(self, commands: Commands) -> None:
        routes = json.loads(commands.run("routes", "--json").out)
        document = json.loads(commands.run("openapi").out)
        operations = {one["operationId"] for methods in document["paths"].values() for one in methods.values()}
        assert {route["operation"] for route in routes} == operations
        assert len(routes) > 40

    def test_a_file_that_cannot_be_written_is_named(self, commands: Commands) -> None:
        commands.run("openapi", "--out", "nowhere/openapi.json").refused(WRONG, "nowhere/openapi.json")

    @pytest.mark.parametrize("name", ["nowhere", "planner.app:nothing", "os:path", ":"])
    def test_an_application_that_is_none_is_named(self, commands: Commands, name: str) -> None:
        commands.run("--app", name, "routes").refused(WRONG, f"--app {name}", "pplication")
