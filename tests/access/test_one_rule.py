"""There is one rule: the reference model, the decision in memory and the statements never differ."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from tests.access import reference
from tests.access.policies import BYTES, CHAIN, Policy, facts, policy_of, row
from tests.access.scenes import (
    PAST,
    RESOURCES,
    Cast,
    GivenGrant,
    OwnRole,
    Scene,
    additions,
    facts_of,
    superuser,
    verdicts,
)

from planner.comments.router import router as comments
from planner.projects.router import router as projects
from planner.tasks.router import router as tasks
from tenantry.access import SUBJECTS, Principal, RecordFacts
from tenantry.database import Database, DatabaseSettings, DatabaseUrls, Statement
from tenantry.kernel import new_id
from tenantry.query import ListShape
from tenantry.resources import statements
from tenantry.resources.repository import ResourceRepository

pytestmark = pytest.mark.anyio

POLICIES = 5_000
SPECS = {"projects": projects.spec, "tasks": tasks.spec, "comments": comments.spec}
TOGETHER = 250
"""Policies that are asked in one transaction."""
ANALYZE = "ANALYZE pool.projects, pool.tasks, pool.comments, pool.grants"


@pytest.fixture(scope="module")
async def database(urls: DatabaseUrls) -> AsyncIterator[Database]:
    opened = Database(urls, DatabaseSettings(pool_size=3, pool_wait=5), constraints={})
    yield opened
    await opened.close()


@dataclass(frozen=True)
class Verdict:
    """What one of the three says about one record: is it visible, and does the rule allow the verb?"""

    visible: bool
    allowed: bool


async def test_reference_memory_and_database_never_differ_on_random_policies(
    database: Database, urls: DatabaseUrls, admin_url: str
) -> None:
    """5,000 different policies; each asks for one verb of one kind of record, on its two or three records of the kind.

    A decision is counted for each record: is it visible, and is the verb allowed? Three answer.
    """
    scene, policies = Scene.begin(database), drawn()
    assert len(policies) == POLICIES
    await write(scene, policies)
    async with superuser(urls, admin_url) as admin:
        await admin.execute(ANALYZE)
    tally: Counter[tuple[str, str, Verdict]] = Counter()
    differing = []
    for start in range(0, POLICIES, TOGETHER):
        some = policies[start : start + TOGETHER]
        principals = [scene.principal(one.cast, one.grants) for one in some]
        found = await by_database(scene, some, principals)
        for policy, principal, rows in zip(some, principals, found, strict=True):
            for record in policy.asked:
                expected = by_reference(policy, record)
                said = (expected, in_memory(policy, principal, record), rows.get(record.id))
                tally[policy.kind, policy.verb, expected] += 1
                if len(set(said)) > 1:
                    differing.append((policy, record, said))
    assert not differing, (len(differing), min(differing, key=lambda one: len(one[0].grants)))
    assert tally.total() >= 2 * POLICIES
    assert_everything_occurs(tally)


def assert_everything_occurs(tally: Counter[tuple[str, str, Verdict]]) -> None:
    """Each outcome was met often, for each verb of each kind: policies that never say yes, or no, prove nothing."""
    for kind, verb in {(kind, verb) for kind, verb, _ in tally}:
        for outcome in (Verdict(True, True), Verdict(False, True), Verdict(False, False), Verdict(True, False)):
            if verb != "read" or outcome != Verdict(True, False):
                assert tally[kind, verb, outcome] >= 20, (kind, verb, outcome, tally)


def drawn(number: int = POLICIES) -> list[Policy]:
    """Draw the policies, always the same ones; Hypothesis does not await, so they are collected first."""
    policies: dict[bytes, Policy] = {}

    @settings(max_examples=number, derandomize=True, database=None, deadline=None, phases=[Phase.generate])
    @given(st.binary(min_size=BYTES, max_size=BYTES))
    def draw(thrown: bytes) -> None:
        policies[thrown] = policy_of(thrown)

    draw()
    return list(policies.values())


async def write(scene: Scene, policies: Sequence[Policy]) -> None:
    """Write all records, the ones above first, and all grants."""
    for kind, access in CHAIN.items():
        records = [record for policy in policies for record in policy.records if record.kind == kind]
        await scene.write(access.table, map(row, records))
    await scene.give(*(grant for policy in policies for grant in policy.grants))


def by_reference(policy: Policy, record: reference.Record) -> Verdict:
    world, person = policy.world, policy.person
    wanted = record
    if policy.verb == "create":  # what is to be created belongs to whoever creates it
        wanted = reference.Record(policy.kind, None, person.id, record)
    return Verdict(world.visible(person, record), world.decide(person, policy.verb, wanted))


def in_memory(policy: Policy, principal: Principal, record: reference.Record) -> Verdict:
    access, known, grants = CHAIN[policy.kind], facts(record), facts_of(policy.grants)
    if policy.verb == "create":
        assert access.parent is not None
        wanted = RecordFacts(new_id(), principal.user_id, parent=known)
        seen = access.parent.access.sees(principal, known, grants)
        return Verdict(seen, access.decide(principal, "create", wanted, grants).allowed)
    verdict = Verdict(
        access.sees(principal, known, grants), access.decide(principal, policy.verb, known, grants).allowed
    )
    assert access.can(principal, policy.verb, known, grants) is (verdict.visible and verdict.allowed)
    return verdict


async def by_database(
    scene: Scene, policies: Sequence[Policy], principals: Sequence[Principal]
) -> list[dict[UUID | None, Verdict]]:
    found: list[dict[UUID | None, Verdict]] = []
    async with scene.work() as uow:
        for policy, principal in zip(policies, principals, strict=True):
            access = CHAIN[policy.kind]
            permits = access.permits(principal, policy.verb)
            creates = policy.verb == "create"
            statement = additions(access, permits) if creates else verdicts(access, policy.verb, permits)
            asked = {"ids": [record.id for record in policy.asked], SUBJECTS: principal.subjects}
            rows = await uow.all(statement, **asked)
            found.append({one["id"]: Verdict(one["visible"], one["allowed"]) for one in rows})
    return found


PAIRS, PRINCIPALS = 5_000, 250
EVERYTHING = ListShape((), (("id", True),), with_total=True)


@dataclass(frozen=True)
class Seen:
    """Whether one record is in the list, is returned by its id, and is seen in memory."""

    listed: bool
    read: bool
    seen: bool


async def test_what_is_listed_is_what_can_be_read_one_by_one(
    database: Database, urls: DatabaseUrls, admin_url: str
) -> None:
    """5,000 pairs of 250 principals with records of Planner: eight around the principal, twelve of other people."""
    scene, policies = Scene.begin(database), drawn(PRINCIPALS)
    await write(scene, policies)
    async with superuser(urls, admin_url) as admin:
        await admin.execute(ANALYZE)
    records = [record for policy in policies for record in policy.records]
    chance, pairs = random.Random(3), Counter[tuple[str, Seen]]()
    for policy in policies:
        principal = scene.principal(policy.cast, policy.grants)
        some = [*policy.records, *chance.sample(records, PAIRS // PRINCIPALS - len(policy.records))]
        listed = await listed_ids(scene, principal)
        for record in some:
            seen = RESOURCES[record.kind].access.sees(principal, facts(record), facts_of(policy.grants))
            pairs[record.kind, Seen(record.id in listed, await is_read(scene, principal, record), seen)] += 1
    assert pairs.total() == PAIRS
    for kind in CHAIN:
        agreed = [pairs[kind, Seen(answer, answer, answer)] for answer in (True, False)]
        assert sum(agreed) == sum(number for (one, _), number in pairs.items() if one == kind), pairs
        assert min(agreed) >= 100


async def listed_ids(scene: Scene, principal: Principal) -> set[UUID]:
    """Return what the lists of a principal hold, all pages, after comparing it with their totals."""
    ids: set[UUID] = set()
    for kind in CHAIN:
        resource = RESOURCES[kind]
        statement = statements.listing(resource, resource.access.read_permits(principal), EVERYTHING, SPECS[kind])
        [row] = await scene.rows(statement, principal, limit=100_000)
        found = [UUID(item["id"]) for item in json.loads(f"[{row['items'] or ''}]")]
        assert row["count"] == row["total"] == len(found) == len(set(found))
        ids.update(found)
    return ids


async def is_read(scene: Scene, principal: Principal, record: reference.Record) -> bool:
    resource = RESOURCES[record.kind]
    statement = statements.reading(resource, resource.access.read_permits(principal))
    return bool(await scene.rows(statement, principal, id=record.id))


async def test_clearing_takes_only_what_is_seen_and_may_be_cleared(database: Database) -> None:
    mine, foreign = Scene.begin(database), Scene.begin(database)
    names = ("kept", "hidden", "cleared", "cleared too")
    ids = {name: new_id() for name in names}
    for scene in (mine, foreign):
        await scene.write(
            RESOURCES["items"].table, [{"id": ids[name], "name": scene.tenant.name, "price_cents": 5} for name in names]
        )
    role = OwnRole("cleaner", frozenset({"items:read", "items:clear"}))
    denied = [
        GivenGrant(role.id, "items:clear", "deny", ids["kept"]),
        GivenGrant(role.id, "items:read", "deny", ids["hidden"]),
        GivenGrant(role.id, "items:*", "deny", ids["cleared"], PAST),
    ]
    await mine.give(*denied)
    cleaner = Cast(role=role.name, own_roles=[role])
    async with mine.work() as uow:
        removed = await ResourceRepository(RESOURCES["items"], uow, mine.principal(cleaner)).clear(action="x.cleared")
    assert removed == 2
    everybody = OwnRole("reader", frozenset({"items:read"}))
    reader = Cast(role=everybody.name, own_roles=[everybody])
    assert await live(mine, mine.principal(reader)) == {ids["kept"], ids["hidden"]}
    assert await live(foreign, foreign.principal(reader)) == set(ids.values())


async def live(scene: Scene, principal: Principal) -> set[UUID]:
    items = RESOURCES["items"]
    table = items.table
    seen = Statement(select(table.c.id).where(items.access.visible(table, items.access.read_permits(principal))))
    return {row["id"] for row in await scene.rows(seen, principal)}
