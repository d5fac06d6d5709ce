"""The ground under the tables: roles with no more than they need, a database that lets nobody else in."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.engine import make_url
from tests.database.freight.conftest import Freight, chains_in

from tenantry.database import DatabaseRole, Placement
from tenantry.database.credentials import kept_passwords, scram_verifier
from tenantry.database.doctor import Declared, Severity, examine_connection
from tenantry.database.migrations import migrate
from tenantry.database.provisioning import (
    NotProvisioned,
    drop_database,
    provision,
    provision_keeping_passwords,
    provisioning_sql,
    role_urls,
)
from tenantry.kernel import ConfigurationError

pytestmark = pytest.mark.anyio

NAME = f"freight_ground_{os.getpid()}"
LOGIN = f"freight_login_{os.getpid()}"


@pytest.fixture
async def database(admin_url: str) -> AsyncIterator[str]:
    """The name of a database that does not exist yet, and does not exist afterwards."""
    await drop_database(admin_url, NAME)
    yield NAME
    await drop_database(admin_url, NAME)


@dataclass(frozen=True)
class Server:
    """The test server, as its superuser and as roles that exist for one test."""

    url: str

    @asynccontextmanager
    async def superuser(self, database: str = "postgres") -> AsyncIterator[asyncpg.Connection]:
        url = make_url(self.url).set(database=database).render_as_string(hide_password=False)
        connection = await asyncpg.connect(url)
        try:
            yield connection
        finally:
            await connection.close()

    @asynccontextmanager
    async def login(self, attributes: str = "") -> AsyncIterator[str]:
        async with self.superuser() as admin:
            await admin.execute(f"DROP ROLE IF EXISTS {LOGIN}; CREATE ROLE {LOGIN} LOGIN {attributes}")
            try:
                yield make_url(self.url).set(username=LOGIN).render_as_string(hide_password=False)
            finally:
                await admin.execute(f"DROP ROLE {LOGIN}")


@pytest.fixture
def outside(admin_url: str) -> Server:
    return Server(admin_url)


class TestProvision:
    async def test_the_roles_have_no_attribute_that_could_pass_the_wall(
        self, outside: Server, admin_url: str, database: str
    ) -> None:
        await provision(admin_url, database)
        async with outside.superuser() as admin:
            rows = await admin.fetch(
                "SELECT rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication OR rolinherit "
                "OR EXISTS (SELECT 1 FROM pg_auth_members m WHERE m.member = r.oid) "
                "FROM pg_roles r WHERE rolname = ANY ($1)",
                [*DatabaseRole],
            )
        assert [row[0] for row in rows] == [False] * len(DatabaseRole)

    async def test_nobody_else_may_enter_the_database(self, outside: Server, admin_url: str, database: str) -> None:
        await provision(admin_url, database)
        async with outside.login() as stranger:
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied for database"):
                await asyncpg.connect(stranger, database=database)

    async def test_each_role_connects_as_itself(self, admin_url: str, database: str) -> None:
        urls = await provision(admin_url, database)
        for role in DatabaseRole:
            connection = await asyncpg.connect(urls.of(role))
            assert await connection.fetchval("SELECT current_user || '@' || current_database()") == f"{role}@{database}"
            await connection.close()

    async def test_it_may_be_repeated_and_leaves_tables_alone(self, scratch: Freight, admin_url: str) -> None:
        await scratch.migrate()
        await scratch.execute("INSERT INTO control.depots VALUES (gen_random_uuid(), 'north')")
        await provision(admin_url, scratch.name)
        assert await scratch.value("SELECT count(*) FROM control.depots") == 1

    async def test_several_at_once_are_one(self, admin_url: str, database: str) -> None:
        urls = await asyncio.gather(*(provision(admin_url, database) for _ in range(5)))
        assert len({one.of(DatabaseRole.APP) for one in urls}) == 1

    async def test_an_administrator_who_is_no_superuser_is_enough_and_keeps_no_power(
        self, outside: Server, admin_url: str, database: str
    ) -> None:
        async with outside.login("CREATEROLE CREATEDB") as builder, outside.superuser() as admin:
            # What PostgreSQL 16 gives to whoever created the role: the right to grant it, not to use it.
            options = "" if admin.get_server_version().major < 16 else ", INHERIT FALSE, SET FALSE"
            await admin.execute(f"GRANT tenantry_owner TO {LOGIN} WITH ADMIN OPTION{options}")
            await provision(builder, database)
            owner = f"SELECT datdba::regrole::text FROM pg_database WHERE datname = '{database}'"
            assert await admin.fetchval(owner) == DatabaseRole.OWNER
            if options:
                assert not await admin.fetchval(f"SELECT pg_has_role('{LOGIN}', 'tenantry_owner', 'SET')")

    async def test_who_may_not_create_it_is_told_the_sql(self, outside: Server, database: str) -> None:
        async with outside.login() as stranger:
            with pytest.raises(NotProvisioned) as refused:
                await provision(stranger, database, passwords=dict.fromkeys(DatabaseRole, "hunter2"))
        assert provisioning_sql(database) in refused.value.detail
        assert "hunter2" not in refused.value.detail

    async def test_a_database_of_somebody_else_is_left_alone(
        self, outside: Server, admin_url: str, database: str
    ) -> None:
        async with outside.superuser() as admin:
            await admin.execute(f"CREATE DATABASE {database}")
        with pytest.raises(NotProvisioned, match="belongs to 'postgres'"):
            await provision(admin_url, database)

    async def test_the_printed_sql_does_the_same(
        self, outside: Server, admin_url: str, database: str, first_migrations: Path
    ) -> None:
        """Run by psql, but for the roles, which the server has already."""
        lines = [
            one for one in provisioning_sql(database).splitlines() if not one.startswith(("CREATE ROLE", "\\pass"))
        ]
        process = await asyncio.create_subprocess_exec(
            "psql", "-v", "ON_ERROR_STOP=1", "-q", admin_url, stdin=asyncio.subprocess.PIPE
        )
        await process.communicate("\n".join(lines).encode())
        assert process.returncode == 0
        chains = chains_in(first_migrations)
        report = await migrate(role_urls(admin_url, database), chains, [Placement.pool()])
        assert report.failed == []
        async with outside.superuser(database) as admin:
            findings = await examine_connection(admin, Declared(chains, [Placement.pool()]), allowed={})
        assert [one for one in findings if one.severity is Severity.ERROR] == []


class TestKeptPasswords:
    def test_they_are_made_once_and_readable_by_the_owner_alone(self, tmp_path: Path) -> None:
        first = kept_passwords(tmp_path / "data")
        assert kept_passwords(tmp_path / "data") == first
        assert len({*first.values()}) == len(DatabaseRole)
        assert (tmp_path / "data" / "credentials.json").stat().st_mode & 0o777 == 0o600
        assert [path.name for path in (tmp_path / "data").iterdir()] == ["credentials.json"]

    def test_two_processes_at_once_get_the_same(self, tmp_path: Path) -> None:
        found: list[dict[DatabaseRole, str]] = []
        threads = [threading.Thread(target=lambda: found.append(kept_passwords(tmp_path))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [kept_passwords(tmp_path)] * 8

    def test_a_file_that_others_may_read_is_refused(self, tmp_path: Path) -> None:
        kept_passwords(tmp_path)
        (tmp_path / "credentials.json").chmod(0o644)
        with pytest.raises(ConfigurationError, match="chmod 600"):
            kept_passwords(tmp_path)

    @pytest.mark.parametrize("content", ["", "[]", "{}", json.dumps({"tenantry_app": "x"})])
    def test_a_damaged_file_is_refused_without_being_replaced(self, tmp_path: Path, content: str) -> None:
        with private(tmp_path / "credentials.json", content), pytest.raises(ConfigurationError, match="Restore it"):
            kept_passwords(tmp_path)
        assert (tmp_path / "credentials.json").read_text() == content

    async def test_a_verifier_is_what_the_server_would_store(self, outside: Server) -> None:
        async with outside.login("PASSWORD 'pässwörd'"), outside.superuser() as admin:
            stored = await admin.fetchval("SELECT rolpassword FROM pg_authid WHERE rolname = $1", LOGIN)
        salt = stored.split("$")[1].split(":")[1]
        assert scram_verifier("pässwörd", salt=base64.b64decode(salt)) == stored

    async def test_the_urls_carry_them(self, admin_url: str, database: str, tmp_path: Path) -> None:
        urls = await provision_keeping_passwords(admin_url, database, tmp_path)
        assert kept_passwords(tmp_path)[DatabaseRole.APP] in urls.of(DatabaseRole.APP)
        assert kept_passwords(tmp_path)[DatabaseRole.APP] not in repr(urls)


@contextmanager
def private(path: Path, content: str) -> Iterator[None]:
    path.write_text(content)
    path.chmod(0o600)
    yield
