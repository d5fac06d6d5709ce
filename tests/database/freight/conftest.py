"""A fictitious freight company: models in every plane, their generated migrations, scratch databases.

The tests of row security, migrations, provisioning and doctor bring models of their own, so that they can plant faults
in tables that nothing else uses.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import asyncpg
import pytest
from sqlalchemy import CheckConstraint, ForeignKey, Index, String, func, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Mapped, mapped_column

from tenantry.database import (
    ControlTable,
    DatabaseRole,
    DatabaseUrls,
    Placement,
    Plane,
    SharedTable,
    TenantTable,
    tenant_reference,
)
from tenantry.database.migrations import Chain, create_placement_schema, migrate, revision
from tenantry.database.provisioning import drop_database, provision
from tenantry.database.row_security import Policy, tenant_or_own

OWN_SCHEMA = Placement.of_schema("t_" + "5" * 32)
"""The placement of a tenant with a schema of its own."""


class Crate(TenantTable):
    __tablename__ = "crates"
    __table_args__ = (
        CheckConstraint("char_length(label) > 0", name="label_not_empty"),
        Index("uq_crates_label", "tenant_id", "label", unique=True),
    )
    label: Mapped[str] = mapped_column(String(50, collation="C"))
    weight: Mapped[int] = mapped_column(server_default=text("0"))
    details: Mapped[dict[str, Any] | None]


class Parcel(TenantTable):
    __tablename__ = "parcels"
    __privileges__: ClassVar[dict[str, str]] = {"tenantry_app": "SELECT, INSERT, DELETE"}
    __table_args__ = (
        tenant_reference("crate_id", "crates", ondelete="CASCADE"),
        Index(None, "tenant_id", "crate_id"),
    )
    crate_id: Mapped[uuid.UUID]


class Depot(ControlTable):
    __tablename__ = "depots"
    __table_args__ = (
        CheckConstraint(f"name NOT IN ({', '.join(repr(f'depot {one}') for one in range(20))})", name="names"),
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)


class Keyholder(ControlTable):
    __tablename__ = "keyholders"
    __policies__: ClassVar[tuple[Policy, ...]] = tenant_or_own("user_id")
    __privileges__: ClassVar[dict[str, str]] = {
        "tenantry_control": "SELECT, INSERT, UPDATE, DELETE",
        "tenantry_platform": "SELECT",
    }
    tenant_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    depot_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("control.depots.id", ondelete="CASCADE"))


class Waybill(SharedTable):
    __tablename__ = "waybills"
    tenant_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())


@dataclass(frozen=True)
class Freight:
    """A scratch database and the chains that build it."""

    name: str
    admin_url: str
    urls: DatabaseUrls
    chains: tuple[Chain, ...]

    @asynccontextmanager
    async def connection(self, role: DatabaseRole | None = None, **settings: str) -> AsyncIterator[asyncpg.Connection]:
        """Connect as `role`, or as the superuser of the server."""
        admin = make_url(self.admin_url).set(database=self.name).render_as_string(hide_password=False)
        connection = await asyncpg.connect(admin if role is None else self.urls.of(role), server_settings=settings)
        try:
            yield connection
        finally:
            await connection.close(timeout=5)

    async def execute(self, sql: str) -> None:
        """Run SQL as the superuser."""
        async with self.connection() as connection:
            await connection.execute(sql)

    async def value(self, sql: str) -> Any:
        """Return one value as the superuser."""
        async with self.connection() as connection:
            return await connection.fetchval(sql)

    def chain(self, plane: Plane) -> Chain:
        """Return the chain of a plane."""
        return next(chain for chain in self.chains if chain.plane is plane)

    async def migrate(self, *placements: Placement) -> None:
        """Bring everything to the head."""
        report = await migrate(self.urls, self.chains, placements or [Placement.pool()])
        assert report.failed == []

    def write(self, number: str, upgrade: str, *, downgrade: str = "pass", plane: Plane = Plane.TENANT) -> None:
        """Write one more migration by hand, with `upgrade` as its body."""
        previous = int(number) - 1
        path = self.chain(plane).script_location / f"{number}_pre_by_hand.py"
        path.write_text(
            "import sqlalchemy as sa\n"
            "from tenantry.database.migrations import op\n\n"
            f"revision = '{number}'\n"
            f"down_revision = {f'{previous:04d}' if previous else None!r}\n\n\n"
            f"def upgrade() -> None:\n    {upgrade}\n\n\n"
            f"def downgrade() -> None:\n    {downgrade}\n"
        )


def chains_in(directory: Path) -> tuple[Chain, ...]:
    """Return the three chains of the models with their files below `directory`."""
    return tuple(
        Chain(f"freight/{plane}", plane, __name__, directory / plane.value, "freight_version") for plane in Plane
    )


@pytest.fixture(scope="session")
async def first_migrations(tmp_path_factory: pytest.TempPathFactory, admin_url: str) -> Path:
    """The first migration of each chain, generated from the models."""
    directory = tmp_path_factory.mktemp("freight")
    async with _database(admin_url, "first") as (_, urls):
        for chain in chains_in(directory):
            await revision(urls, chain, "create tables")
    return directory


@pytest.fixture(scope="session")
async def freight(first_migrations: Path, admin_url: str) -> AsyncIterator[Freight]:
    """A migrated database with the pool and one tenant's own schema. Leave no traces in its tables."""
    async with _database(admin_url, "kept") as (name, urls):
        built = Freight(name, admin_url, urls, chains_in(first_migrations))
        await built.migrate()
        report = await create_placement_schema(urls, built.chains, OWN_SCHEMA)
        assert report.failed == []
        yield built


@pytest.fixture
def own_files(first_migrations: Path, tmp_path: Path) -> Path:
    """A copy of the first migrations, to add others to."""
    for file in first_migrations.glob("*/0001_*.py"):
        target = tmp_path / file.parent.name / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(file.read_text())
    return tmp_path


@pytest.fixture
async def scratch(own_files: Path, admin_url: str) -> AsyncIterator[Freight]:
    """A provisioned database without tables, with migrations of its own to add to."""
    async with _database(admin_url, "own") as (name, urls):
        yield Freight(name, admin_url, urls, chains_in(own_files))


@pytest.fixture(params=["pool", OWN_SCHEMA.schema], ids=["pool", "own schema"])
def schema(request: pytest.FixtureRequest) -> str:
    """Where a tenant's rows live: everything holds equally in both kinds of placement."""
    name: str = request.param
    return name


@asynccontextmanager
async def _database(admin_url: str, purpose: str) -> AsyncIterator[tuple[str, DatabaseUrls]]:
    name = f"freight_{purpose}_{os.getpid()}"
    await drop_database(admin_url, name)
    try:
        yield name, await provision(admin_url, name)
    finally:
        await drop_database(admin_url, name)
