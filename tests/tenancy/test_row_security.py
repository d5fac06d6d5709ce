"""The wall in the control plane: what the control role can reach, whatever the code above it asks for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest
from tests.people import connected

from tenantry.database import DatabaseRole
from tenantry.tenancy import Role
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio

Two = tuple[TestTenant, TestTenant]


@pytest.fixture
async def two(world: World) -> Two:
    two = await world.two_tenants()
    for tenant in two:
        answer = await tenant.owner.post("/invitations", json={"email": "ada@people.test", "role": "viewer"})
        assert answer.status_code == 201
    return two


@pytest.fixture
async def control(world: World) -> AsyncIterator[asyncpg.Connection]:
    """A bare connection of the control role, in a transaction that is taken back."""
    async with connected(world, DatabaseRole.CONTROL) as connection:
        await connection.execute("BEGIN")
        yield connection


async def enter(control: asyncpg.Connection, *, tenant: UUID | None = None, user: UUID | None = None) -> None:
    for name, value in (("tenant_id", tenant), ("user_id", user)):
        await control.execute(f"SET LOCAL app.{name} = '{value or ''}'")


TABLES = ("memberships", "invitations")


class TestReading:
    @pytest.mark.parametrize("table", TABLES)
    async def test_without_a_tenant_and_a_user_there_is_nothing(
        self, two: Two, control: asyncpg.Connection, table: str
    ) -> None:
        assert await control.fetchval(f"SELECT count(*) FROM {table}") == 0
        await enter(control)
        assert await control.fetchval(f"SELECT count(*) FROM {table}") == 0

    @pytest.mark.parametrize("table", TABLES)
    async def test_a_tenant_shows_its_rows_and_no_others(
        self, two: Two, control: asyncpg.Connection, table: str
    ) -> None:
        for tenant in two:
            await enter(control, tenant=tenant.id)
            rows = await control.fetch(f"SELECT DISTINCT tenant_id FROM {table}")
            assert [row["tenant_id"] for row in rows] == [tenant.id]

    async def test_a_user_shows_the_own_memberships_in_every_tenant_and_nobody_elses(
        self, two: Two, control: asyncpg.Connection
    ) -> None:
        user_id = two[0].people[Role.VIEWER]
        await enter(control, user=user_id)
        rows = await control.fetch("SELECT user_id, tenant_id FROM memberships")
        assert {row["user_id"] for row in rows} == {user_id}
        assert two[0].id in {row["tenant_id"] for row in rows}
        assert two[1].id not in {row["tenant_id"] for row in rows}

    async def test_a_user_alone_shows_no_invitations(self, two: Two, control: asyncpg.Connection) -> None:
        await enter(control, user=two[0].people[Role.OWNER])
        assert await control.fetchval("SELECT count(*) FROM invitations") == 0


class TestWriting:
    async def test_nobody_is_added_to_another_tenant(self, two: Two, control: asyncpg.Connection) -> None:
        await enter(control, tenant=two[0].id)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await control.execute(
                "INSERT INTO memberships (tenant_id, user_id, role) VALUES ($1, $2, 'owner')",
                two[1].id,
                two[0].people[Role.VIEWER],
            )

    async def test_a_membership_does_not_move_to_another_tenant(self, two: Two, control: asyncpg.Connection) -> None:
        await enter(control, tenant=two[0].id)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await control.execute("UPDATE memberships SET tenant_id = $1", two[1].id)

    async def test_the_own_membership_is_not_writable_by_being_ones_own(
        self, two: Two, control: asyncpg.Connection
    ) -> None:
        user_id = two[0].people[Role.VIEWER]
        await enter(control, user=user_id)
        assert await control.execute("UPDATE memberships SET role = 'owner'") == "UPDATE 0"
        assert await control.execute("DELETE FROM memberships") == "DELETE 0"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await control.execute(
                "INSERT INTO memberships (tenant_id, user_id, role) VALUES ($1, $2, 'owner')", two[1].id, user_id
            )

    async def test_other_tenants_rows_are_neither_changed_nor_removed(
        self, two: Two, control: asyncpg.Connection
    ) -> None:
        await enter(control, tenant=two[0].id)
        for table in TABLES:
            assert await control.execute(f"DELETE FROM {table} WHERE tenant_id = $1", two[1].id) == "DELETE 0"


class TestOtherRoles:
    @pytest.mark.parametrize("role", [DatabaseRole.APP, DatabaseRole.WORKER])
    @pytest.mark.parametrize("table", ["tenants", *TABLES])
    async def test_those_who_serve_tenants_cannot_read_the_control_plane(
        self, world: World, role: DatabaseRole, table: str
    ) -> None:
        async with connected(world, role) as connection:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.fetch(f"SELECT 1 FROM control.{table}")

    async def test_the_platform_sees_all_and_writes_no_membership(self, world: World, two: Two) -> None:
        async with connected(world, DatabaseRole.PLATFORM) as connection:
            seen = {row[0] for row in await connection.fetch("SELECT DISTINCT tenant_id FROM memberships")}
            assert {tenant.id for tenant in two} <= seen
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute("UPDATE memberships SET role = 'owner'")
