"""IN-03, IN-12, SC-02: no value in any place of any request breaks the server, comes back, or shows its insides.

The shots are generated from the OpenAPI document (`shots`). All of them are 50,000; a run takes a share of each kind,
which the seed chooses, and every member of every body in full. ``FUZZ_SHARE=1`` takes all, ``SEED=…`` other ones.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

import anyio
import pytest
from starlette.types import ASGIApp
from tests.acceptance.surface import Operation
from tests.fuzz.conftest import SEED, Scene
from tests.fuzz.direct import ask
from tests.fuzz.memory import MIB, memory
from tests.fuzz.shots import SENT_ANYWAY, Gun, Shot
from tests.fuzz.verdicts import faults

pytestmark = pytest.mark.anyio

EVERYTHING = os.environ.get("FUZZ_SHARE") == "1"
AT_ONCE = 4
"""Shots under way at the same time: passwords are hashed in threads and the database works beside us."""

WITH_PASSWORDS = frozenset({"auth_register", "auth_login", "auth_token", "auth_password_reset_confirm"})
"""Operations that hash a password, which costs fifty times what others do."""

PROBED = ("items_create", "items_update", "items_list", "auth_refresh", "me_update", "platform_tenants_read")
"""One operation of each kind (generated and written by hand; list, read, write; public, of a tenant, of the platform)
for headers that no operation declares."""


@dataclass
class Report:
    """What came of all shots."""

    fired: Counter[str] = field(default_factory=Counter)
    """Shots by operation."""
    statuses: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    """Answers by operation."""
    at_first: dict[str, Counter[int]] = field(default_factory=dict)
    """Answers to the warming up: what can be done once only, like taking somebody into a team, succeeds there."""
    wrong: list[str] = field(default_factory=list)
    grown: int = 0
    """Bytes that the process grew by."""

    def broken(self, *rules: str) -> list[str]:
        """Return the first shots that broke one of the rules."""
        return [line for line in self.wrong if line.partition(" <= ")[0].startswith(rules)][:20]


@pytest.fixture(scope="module")
async def report(scene: Scene) -> Report:
    """Fire everything once."""
    print(f"SEED={SEED}")  # noqa: T201 - pytest shows it with a failure
    report = Report()
    guns = [Gun(operation, scene.caller(operation)) for operation in Operation.of_document(scene.world.app.openapi())]
    first = Report()
    await fire(warming_up(guns), scene.world.app, first)
    report.at_first = first.statuses
    before = memory()
    await fire(chosen(guns), scene.world.app, report)
    report.grown = memory() - before
    print(sum(report.fired.values()), "shots", sum(report.statuses.values(), Counter()))  # noqa: T201 - the same
    return report


async def test_no_poison_anywhere_makes_a_server_error(report: Report) -> None:
    assert report.broken("server error") == []


async def test_every_refusal_is_a_whole_problem_with_a_code(report: Report) -> None:
    assert report.broken("problem") == []


async def test_no_refusal_repeats_what_was_sent(report: Report) -> None:
    assert report.broken("echo", "long refusal") == []


async def test_no_answer_shows_the_insides_of_the_server(report: Report) -> None:
    assert report.broken("insides") == []


async def test_no_secret_comes_back_and_nothing_gets_into_the_headers(report: Report) -> None:
    assert report.broken("secret", "injected") == []


async def test_no_poison_gets_as_far_as_the_database(report: Report) -> None:
    """PostgreSQL refuses it too, but then a transaction was opened for it and no field is named."""
    assert report.broken("let through") == []


async def test_no_answer_breaks_another_rule(report: Report) -> None:
    assert report.wrong == []


async def test_memory_does_not_grow(report: Report) -> None:
    assert report.grown < 25 * MIB


async def test_the_shots_reach_every_operation_behind_its_gate(report: Report, scene: Scene) -> None:
    """What this file proves is worth nothing where every shot is answered 401."""
    names = {operation.id for operation in Operation.of_document(scene.world.app.openapi())}
    assert sum(report.fired.values()) >= 10_000
    assert report.statuses.keys() == names
    assert [name for name in names if not set(report.statuses[name]) - {401, 403, 415}] == []
    writes = {name for name in names if name.endswith(("_create", "_update", "_replace"))}
    reached = {name: {*report.statuses[name], *report.at_first[name]} for name in writes}
    assert [name for name in writes if not {200, 201, 202} & reached[name]] == []


def warming_up(guns: list[Gun]) -> Iterator[Shot]:
    """Return what fills caches, and what the allocator keeps for itself after the first large bodies and passwords."""
    for gun in guns:
        for _ in range(20 if gun.operation.id in WITH_PASSWORDS else 3):
            yield gun.valid()
        yield from (shot for shot in gun.shots() if shot.poison == "megabyte")


def chosen(guns: list[Gun]) -> Iterator[Shot]:
    """Return the shots of this run."""
    for gun in guns:
        for position, shot in enumerate(gun.shots()):
            if EVERYTHING or (position + SEED) % _one_of(gun.operation, shot) == 0:
                yield shot
        if gun.operation.id in PROBED:
            for name in SENT_ANYWAY:
                yield from islice(gun.in_header(name), 0 if EVERYTHING else SEED % 3, None, 1 if EVERYTHING else 3)


def _one_of(operation: Operation, shot: Shot) -> int:
    """Return of how many shots of this kind one is fired: primes, so that each poison has its turn somewhere."""
    if shot.place.startswith("/"):
        return 3 if operation.id in WITH_PASSWORDS else 1
    if shot.place == "body" or shot.place.startswith("{"):
        return 2
    return 23 if operation.id in WITH_PASSWORDS else 11


async def fire(shots: Iterator[Shot], app: ASGIApp, report: Report) -> None:
    """Send shots, a few at a time, and judge every answer."""

    async def shoot() -> None:
        for shot in shots:
            answer = await ask(app, shot.request)
            report.fired[shot.operation] += 1
            report.statuses[shot.operation][answer.status] += 1
            report.wrong += [f"{fault} <= {shot}" for fault in islice(faults(shot, answer), 3)]

    async with anyio.create_task_group() as group:
        for _ in range(AT_ONCE):
            group.start_soon(shoot)
