"""One route, measured on every contender in turn."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.arena import OURS, Arena
from benchmarks.cpu import tree_seconds
from benchmarks.load import send
from benchmarks.progress import say
from benchmarks.report import Line, Measure, compared_line, floor_line
from benchmarks.routes import Contender, Route


@dataclass(frozen=True, slots=True)
class Plan:
    """How often and how long (in seconds) is measured."""

    rounds: int
    seconds: int
    warm_up: int


FULL = Plan(rounds=3, seconds=5, warm_up=2)
QUICK = Plan(rounds=3, seconds=1, warm_up=1)


def measure(arena: Arena, route: Route, plan: Plan) -> list[Line]:
    """Return a line for each contender.

    They take turns, in alternating order, so that a change of the machine's mood meets all of them.
    """
    say(f"{route.target.title}: {plan.rounds} rounds of {plan.seconds} s for each server.")
    for contender in arena.contenders:
        route.check(contender, arena.first_id())
        send(route.call(contender), arena.ids, plan.warm_up)
    arena.cluster.settle()
    rounds: dict[str, list[Measure]] = {contender.name: [] for contender in arena.contenders}
    for number in range(plan.rounds):
        for contender in arena.contenders if number % 2 == 0 else reversed(arena.contenders):
            found = _round(arena, contender, route, plan.seconds)
            say(f"  {contender.name}: app {found.application:.0f} µs, PostgreSQL {found.postgres:.0f} µs")
            rounds[contender.name].append(found)
    first, *others = arena.contenders
    floor = floor_line(route.target, first.name, rounds[first.name])
    return [
        floor,
        *(
            compared_line(route.target, other.name, rounds[other.name], floor, judged=other.name == OURS)
            for other in others
        ),
    ]


def _round(arena: Arena, contender: Contender, route: Route, seconds: int) -> Measure:
    call = route.call(contender)
    application, postgres = tree_seconds(contender.server.pid), tree_seconds(arena.cluster.postmaster)
    answers = send(call, arena.ids, seconds)
    application = tree_seconds(contender.server.pid) - application
    postgres = tree_seconds(arena.cluster.postmaster) - postgres
    return Measure(
        answers.requests / answers.seconds,
        application / answers.requests * 1e6,
        postgres / answers.requests * 1e6,
        answers.p50,
        answers.p99,
    )
