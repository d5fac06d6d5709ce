"""One demo installation for reading, one cluster for damaging, and a place for each test's own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.process.running import Commands, Running, eventually

from tenantry.database import DatabaseRole
from tenantry.database.embedded import EmbeddedServer, find_binaries
from tenantry.database.embedded.leaving import postgres_processes
from tenantry.database.provisioning import role_urls

SECRET = "Zm9yIHRlc3RzIG9ubHk6IDQ4IGJ5dGVzLCBub3QgcmVhbGx5IHJhbmRvbQ"


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of everything that these tests start; nothing of it may run on after them."""
    folder = tmp_path_factory.mktemp("process")
    yield folder
    eventually(lambda: not [pid for home in folder.glob("**/data") for pid in postgres_processes(home)], 20)


@pytest.fixture
def commands(place: Path, request: pytest.FixtureRequest) -> Commands:
    """`tenantry` in an empty directory of this test."""
    folder = place / f"{len(list(place.iterdir())):03}"
    folder.mkdir()
    return Commands(folder, {})


@pytest.fixture(scope="session")
def demo(place: Path) -> Iterator[Running]:
    """`tenantry dev` on a data directory of its own, for tests that do no harm."""
    folder = place / "demo"
    folder.mkdir()
    with Commands(folder, {}).start("dev") as running:
        running.ready()
        yield running
        running.end()


@pytest.fixture(scope="session")
def commands_of_demo(demo: Running, place: Path) -> Commands:
    """`tenantry` in the directory where the demo runs."""
    return Commands(place / "demo", {})


@dataclass(frozen=True)
class Installation:
    """A migrated database on a server of the test's own, and the settings of production for it."""

    server: EmbeddedServer
    settings: dict[str, str]

    def sql(self, statements: str, database: str = "planner") -> list[asyncpg.Record]:
        """Run SQL as the superuser."""
        return asyncio.run(self._sql(statements, database))

    async def _sql(self, statements: str, database: str) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.server.url(database, self.server.superuser))
        try:
            if ";" in statements:
                await connection.execute(statements)
                return []
            return list(await connection.fetch(statements))
        finally:
            await connection.close()


@pytest.fixture(scope="session")
def installation(place: Path) -> Iterator[Installation]:
    """An installation as `docs/operations.md` describes it, made by the commands that it names."""
    folder = place / "own"
    folder.mkdir()
    commands = Commands(folder, {})
    with EmbeddedServer(folder / "postgres", find_binaries(), durable=False) as server:
        made = Installation(server, _settings(server, folder))
        script = commands.run("provision", "planner").out
        statements = [line for line in script.splitlines() if not line.startswith("\\")]
        before, after = "\n".join(statements).split("ENCODING 'UTF8' TEMPLATE template0;")
        roles, _, create = before.rpartition("CREATE DATABASE")
        made.sql(roles, "postgres")
        made.sql(f"CREATE DATABASE {create} ENCODING 'UTF8' TEMPLATE template0;", "postgres")
        made.sql(after)
        migrated = commands.with_(**made.settings).run("migrate")
        assert migrated.code == 0, migrated.err
        yield made


def _settings(server: EmbeddedServer, folder: Path) -> dict[str, str]:
    urls = role_urls(server.url("postgres", server.superuser), "planner")
    key = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "signing.pem").write_bytes(key)
    return {
        "TENANTRY_DATABASE_URL": urls.of(DatabaseRole.APP),
        **{f"TENANTRY_DATABASE_{role.name}_URL": urls.of(role) for role in DatabaseRole if role != DatabaseRole.APP},
        "TENANTRY_IDENTITY_SECRET": SECRET,
        "TENANTRY_IDENTITY_SIGNING_KEYS": str(folder / "signing.pem"),
    }
