"""What grants cost: a list of 50 of 100,000 records for a member of 20 of 200 teams that hold 10,000 grants, compared
with the same list in a tenant without grants; and the decision on one record in memory."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import timeit
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import UUID

from uuid_utils.compat import uuid7

from benchmarks import planner
from benchmarks.arena import OURS, RESULTS, Arena
from benchmarks.cluster import Cluster, Given, new_items
from benchmarks.load import MISSING, LoadFailed, is_installed
from benchmarks.measuring import FULL, QUICK, measure
from benchmarks.progress import say
from benchmarks.report import table
from benchmarks.routes import GRANTED_LIST, Contender
from benchmarks.servers import ServerFailed
from planner.items.service import ItemService
from tenantry.access import GrantFacts, Principal, RecordFacts
from tenantry.access.models import Effect
from tenantry.database import Placement
from tenantry.database.embedded import EmbeddedServer, find_binaries
from tenantry.kernel import Actor, ActorKind, TenantId
from tenantry.tenancy import TenantFacts

RECORDS = 100_000
GIVEN = Given(grants=10_000, teams=200, teams_of_person=20)
DECISION_TARGET = 20.0
"""Microseconds for one decision in memory."""

WITHOUT, WITH = "acme", "globex"


def main() -> int:
    """Measure and print; 1 where a target is not met, 2 where nothing could be measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.grants", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="rounds of one second: a first impression")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    if not is_installed():
        say(MISSING)
        return 2
    decision = microseconds_of_a_decision()
    try:
        with stage() as arena:
            lines = measure(arena, GRANTED_LIST, QUICK if arguments.quick else FULL)
    except (LoadFailed, ServerFailed) as error:
        say(str(error))
        return 2
    is_met = decision <= DECISION_TARGET and all(line.is_met is not False for line in lines)
    if arguments.json:
        print(json.dumps({"lines": [line.facts() for line in lines], "decision_us": decision, "met": is_met}, indent=2))
    else:
        print(f"\n{table(lines)}\n\none decision in memory  {decision:.1f} µs   target {DECISION_TARGET:g} µs")
    return 0 if is_met else 1


@contextmanager
def stage() -> Iterator[Arena]:
    """Provide one server and two tenants of it with the same records, one of them with grants."""
    RESULTS.mkdir(exist_ok=True)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="grants-", dir=RESULTS)))
        data = directory / "tenantry"
        say("Planner makes its database.")
        with planner.planner(data, directory / "dev.log", command="dev"):
            pass
        cluster = Cluster(stack.enter_context(EmbeddedServer(data / "postgres", find_binaries())))
        say(f"{RECORDS} items in each of two tenants, {GIVEN.grants} grants in one of them.")
        for slug in (WITHOUT, WITH):
            cluster.fill_tenant(planner.DATABASE, _tenant(cluster, slug), new_items(RECORDS))
        cluster.grant(planner.DATABASE, WITH, f"member@{WITH}.test", GIVEN)
        server = stack.enter_context(planner.planner(data, directory / "serve.log"))
        sessions = {slug: planner.Session(server, slug, f"member@{slug}.test") for slug in (WITHOUT, WITH)}
        ids = directory / "ids.txt"
        ids.write_text(f"{uuid7()}\n")
        yield Arena(
            cluster,
            [
                Contender("without grants", server, planner.ITEMS_PATH, lambda: sessions[WITHOUT].headers),
                Contender(OURS, server, planner.ITEMS_PATH, lambda: sessions[WITH].headers),
            ],
            ids,
        )


def microseconds_of_a_decision() -> float:
    """Return what one decision in memory costs that no grant decides: every line of the order is asked."""
    teams = tuple(uuid7() for _ in range(GIVEN.teams_of_person))
    record = RecordFacts(uuid7())
    grants = [GrantFacts(uuid7(), uuid7(), "items:read", Effect.DENY, record.id) for _ in teams]
    user = uuid7()
    principal = Principal(
        Actor(ActorKind.USER, user),
        user,
        TenantFacts(TenantId(uuid7()), "acme", "Acme", "active", Placement.pool(), frozenset({"items"})),
        "member",
        frozenset({"items:read"}),
        subjects=(user, *teams),
    )
    access = ItemService.resource.access
    times = timeit.repeat(lambda: access.decide(principal, "read", record, grants), number=20_000, repeat=5)
    return min(times) / 20_000 * 1e6


def _tenant(cluster: Cluster, slug: str) -> UUID:
    return UUID(cluster.ask(f"SELECT id FROM control.tenants WHERE slug = '{slug}'", planner.DATABASE))


if __name__ == "__main__":
    sys.exit(main())
