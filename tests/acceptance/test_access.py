"""Access over HTTP: what is denied, expired, foreign, out of scope or hidden stays so on every way to a record."""

from __future__ import annotations

import asyncpg
import pytest
from tests.acceptance import access

from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio


@pytest.fixture
async def tenant(world: World) -> TestTenant:
    return await world.tenant(side="access")


async def test_what_is_denied_is_in_no_list(tenant: TestTenant) -> None:
    await access.assert_what_is_denied_is_in_no_list(tenant)


async def test_a_deny_stands_above_every_allow(tenant: TestTenant) -> None:
    await access.assert_a_deny_stands_above_every_allow(tenant)


async def test_expired_grants_on_records_count_for_nothing(tenant: TestTenant, admin: asyncpg.Connection) -> None:
    await access.assert_expired_grants_on_records_count_for_nothing(tenant, admin)


async def test_expired_grants_on_whole_resources_count_for_nothing(
    tenant: TestTenant, admin: asyncpg.Connection
) -> None:
    await access.assert_expired_grants_on_resources_count_for_nothing(tenant, admin)


async def test_grants_on_whole_resources_end_at_the_border_of_the_tenant(world: World) -> None:
    await access.assert_grants_end_at_the_border(*await world.two_tenants())


async def test_a_key_reaches_no_further_than_its_scope(tenant: TestTenant) -> None:
    await access.assert_a_key_reaches_no_further_than_its_scope(tenant)


async def test_keys_of_former_members_are_refused(tenant: TestTenant) -> None:
    await access.assert_keys_of_former_members_are_refused(tenant)


async def test_a_hidden_field_tells_nothing(tenant: TestTenant) -> None:
    await access.assert_a_hidden_field_tells_nothing(tenant)
