"""The suite is alive: each planted fault makes the check for it fail, and where nothing is planted all pass.

The checks are the very functions that the suite runs.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from unittest.mock import AsyncMock

import pytest
from tests.acceptance import access
from tests.acceptance.commit import assert_a_created_row_is_there_at_once, assert_a_swallowed_error_is_never_a_success
from tests.acceptance.controls import Exposure, use_every_route
from tests.acceptance.structure import assert_structure
from tests.acceptance.test_idempotency import assert_many_repetitions_have_one_effect
from tests.acceptance.test_pool import assert_nothing_lingers
from tests.acceptance.test_resources import assert_one_of_many_wins
from tests.acceptance.test_soft_delete import assert_what_is_deleted_is_seen_nowhere
from tests.acceptance.test_tenant_selection import assert_a_body_never_selects_the_tenant
from tests.meta import faults
from tests.meta.conftest import Ground
from tests.meta.faults import Plant, in_catalogue, in_code

from planner.app import application
from tenantry.kernel import new_id
from tenantry.proof import Plan, prove_on
from tenantry.tenancy import Role

pytestmark = pytest.mark.anyio

Check = Callable[[Ground], Awaitable[None]]


async def structure(ground: Ground) -> None:
    await assert_structure(ground.admin)


async def isolation(ground: Ground) -> None:
    plan = Plan(only="/api/v1/items", samples=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tenantry.app.assembly.assert_safe_roles", AsyncMock())  # it would refuse to start without a wall
        report = await prove_on(ground.scratch, application, plan, lambda _: None)
    assert report.is_proved, report.as_text()


async def controls(ground: Ground) -> None:
    mine, victim = await ground.furnished()
    await use_every_route(mine, await Exposure.of(victim, ground.admin))


async def lingering(ground: Ground) -> None:
    await assert_nothing_lingers(ground.world.assembly.runtime.database, new_id())


async def deletion(ground: Ground) -> None:
    await assert_what_is_deleted_is_seen_nowhere(await ground.world.tenant())


async def visibility(ground: Ground) -> None:
    await assert_a_created_row_is_there_at_once(await ground.world.tenant(), ground.admin, times=10)


async def swallowing(ground: Ground) -> None:
    with pytest.MonkeyPatch.context() as patch:
        await assert_a_swallowed_error_is_never_a_success(await ground.world.tenant(), ground.admin, patch)


async def selection(ground: Ground) -> None:
    mine, other = await ground.world.two_tenants()
    without_header = ground.world.client({"Authorization": f"Bearer {mine.tokens[Role.OWNER]}"})
    await assert_a_body_never_selects_the_tenant(mine, other.id, without_header, "active_tenant_id")


async def versions(ground: Ground) -> None:
    await assert_one_of_many_wins(await ground.world.tenant(), rounds=2, clients=5)


async def repetition(ground: Ground) -> None:
    tenant = await ground.world.tenant()
    await assert_many_repetitions_have_one_effect(tenant, ground.admin, keys=1, times=5)


async def lists(ground: Ground) -> None:
    await access.assert_what_is_denied_is_in_no_list(await ground.world.tenant())


async def order(ground: Ground) -> None:
    await access.assert_a_deny_stands_above_every_allow(await ground.world.tenant())


async def expiry_on_records(ground: Ground) -> None:
    await access.assert_expired_grants_on_records_count_for_nothing(await ground.world.tenant(), ground.admin)


async def expiry_on_resources(ground: Ground) -> None:
    await access.assert_expired_grants_on_resources_count_for_nothing(await ground.world.tenant(), ground.admin)


async def borders(ground: Ground) -> None:
    await access.assert_grants_end_at_the_border(*await ground.world.two_tenants())


async def scopes(ground: Ground) -> None:
    await access.assert_a_key_reaches_no_further_than_its_scope(await ground.world.tenant())


async def leaving(ground: Ground) -> None:
    await access.assert_keys_of_former_members_are_refused(await ground.world.tenant())


async def hiding(ground: Ground) -> None:
    await access.assert_a_hidden_field_tells_nothing(await ground.world.tenant())


CHECKS: tuple[Check, ...] = (
    structure, isolation, controls, lingering, deletion, visibility, swallowing, selection, versions, repetition,
    lists, order, expiry_on_records, expiry_on_resources, borders, scopes, leaving, hiding,
)  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """A fault, and the check that is there for it."""

    plant: Plant
    check: Check


_FORCE = "ALTER TABLE pool.items {} ROW LEVEL SECURITY"
_KEY = "ALTER TABLE pool.tasks {} CONSTRAINT fk_tasks_tenant_id_project_id"
_WALL = "ON pool.items AS RESTRICTIVE TO tenantry_app USING ({0}) WITH CHECK ({0})"
_OF_TENANT = "tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid"
_REBUILT = f"DROP POLICY tenant_wall ON pool.items; CREATE POLICY tenant_wall {_WALL}"

FAULTS = {
    "row security does not hold for the owner": Fault(
        in_catalogue(_FORCE.format("NO FORCE"), _FORCE.format("FORCE")), structure
    ),
    "the application's role owns a table": Fault(
        in_catalogue(
            "ALTER TABLE pool.items OWNER TO tenantry_app",
            "ALTER TABLE pool.items OWNER TO tenantry_owner;"
            "GRANT SELECT, INSERT, UPDATE, DELETE ON pool.items TO tenantry_app",
        ),
        structure,
    ),
    "the application's role may read users": Fault(
        in_catalogue(
            "GRANT SELECT ON control.users TO tenantry_app", "REVOKE SELECT ON control.users FROM tenantry_app"
        ),
        structure,
    ),
    "a policy that lets everything through was added": Fault(
        in_catalogue(
            "CREATE POLICY support ON pool.items TO tenantry_app USING (true)", "DROP POLICY support ON pool.items"
        ),
        structure,
    ),
    "a foreign key without the tenant": Fault(
        in_catalogue(
            "CREATE UNIQUE INDEX planted ON pool.projects (id);"
            f"{_KEY.format('DROP')};{_KEY.format('ADD')} FOREIGN KEY (project_id) REFERENCES pool.projects (id)",
            f"{_KEY.format('DROP')};{_KEY.format('ADD')} FOREIGN KEY (tenant_id, project_id) "
            "REFERENCES pool.projects (tenant_id, id) ON DELETE CASCADE; DROP INDEX pool.planted",
        ),
        structure,
    ),
    "a view with its owner's rights": Fault(
        in_catalogue("CREATE VIEW pool.every_item AS SELECT * FROM pool.items", "DROP VIEW pool.every_item"), structure
    ),
    "the wall lets everything through": Fault(
        in_catalogue(_REBUILT.format("true"), _REBUILT.format(_OF_TENANT)), isolation
    ),
    "membership is not verified": Fault(in_code(faults.membership_unchecked), isolation),
    "a route that refuses everybody": Fault(in_code(faults.nobody_may_do_anything), controls),
    "SET instead of SET LOCAL": Fault(in_code(faults.set_for_set_local), lingering),
    "the count forgets the predicate": Fault(in_code(faults.count_without_the_predicate), deletion),
    "the predicate forgets what was deleted": Fault(in_code(faults.soft_delete_unseen), deletion),
    "the commit comes after the answer": Fault(in_code(faults.commit_after_the_answer), visibility),
    "what the commit says is not looked at": Fault(in_code(faults.commit_unchecked), swallowing),
    "the tenant comes from the body": Fault(in_code(faults.tenant_from_the_body), selection),
    "the version is not compared": Fault(in_code(faults.version_ignored), versions),
    "the idempotency key is not claimed": Fault(in_code(faults.key_not_claimed), repetition),
    "lists ignore what is denied": Fault(in_code(faults.denies_ignored_in_lists), lists),
    "allow grants stand above deny grants": Fault(in_code(faults.allow_before_deny), order),
    "expired grants on records count": Fault(in_code(faults.expired_grants_on_records_count), expiry_on_records),
    "expired grants on resources count": Fault(in_code(faults.expired_grants_on_resources_count), expiry_on_resources),
    "grants on resources count in every tenant": Fault(in_code(faults.type_grants_without_the_tenant), borders),
    "the scope of a key is ignored": Fault(in_code(faults.key_scope_ignored), scopes),
    "the key of a former member works": Fault(in_code(faults.keys_outlive_the_membership), leaving),
    "a hidden field can be sorted by": Fault(in_code(faults.hidden_fields_can_be_sorted_by), hiding),
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_nothing_is_found_where_nothing_was_planted(ground: Ground, check: Check) -> None:
    await check(ground)


@pytest.mark.parametrize("name", FAULTS)
async def test_a_planted_fault_is_found(ground: Ground, name: str) -> None:
    fault = FAULTS[name]
    async with fault.plant(ground):
        with pytest.raises(AssertionError):
            await fault.check(ground)


async def test_after_all_faults_the_ground_is_as_it_was(ground: Ground) -> None:
    for check in CHECKS:
        await check(ground)
