"""CPU per request of Planner as it is shipped, as a ratio to the raw floor in the same run."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from typing import Any

from benchmarks import machine
from benchmarks.arena import BARE, BY_HAND, FLOOR, OURS, RESULTS, arena
from benchmarks.load import MISSING, LoadFailed, is_installed
from benchmarks.measuring import FULL, QUICK, measure
from benchmarks.progress import say
from benchmarks.report import Line, table
from benchmarks.routes import ROUTES
from benchmarks.servers import ServerFailed


def main() -> int:
    """Measure, print, write down; 1 where a target is not met, 2 where nothing could be measured."""
    arguments = _parser().parse_args()
    if not is_installed():
        say(MISSING)
        return 2
    facts = machine.facts()
    if machine.is_busy():
        say(f"The machine is busy (load {facts['load_before']}): do not trust the figures.")
    routes = [route for route in ROUTES if not arguments.only or route.target.name in arguments.only]
    try:
        with arena(_names(arguments)) as running:
            facts["postgresql"] = running.cluster.ask("SHOW server_version")
            facts["fsync"] = running.cluster.ask("SHOW fsync")
            plan = QUICK if arguments.quick else FULL
            lines = [line for route in routes for line in measure(running, route, plan)]
    except (LoadFailed, ServerFailed) as error:
        say(str(error))
        return 2
    result = {"machine": facts, "lines": [line.facts() for line in lines]}
    written = RESULTS / f"{time.strftime('%Y%m%d-%H%M%S')}.json"
    written.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2) if arguments.json else _text(facts, lines))
    return 1 if any(line.is_met is False for line in lines) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="rounds of one second: a first impression")
    parser.add_argument("--only", action="append", choices=[route.target.name for route in ROUTES], help="one route")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--bare", action="store_true", help="compare with a harder floor: no reset query at release")
    parser.add_argument("--checked", action="store_true", help="also the same checks written by hand")
    parser.add_argument("--without-ours", action="store_true", help="the floor alone")
    return parser


def _names(arguments: argparse.Namespace) -> list[str]:
    chosen = {
        BARE: arguments.bare,
        FLOOR: True,
        BY_HAND: arguments.checked,
        OURS: not arguments.without_ours,
    }
    return [name for name, is_chosen in chosen.items() if is_chosen]


def _text(facts: dict[str, Any], lines: Sequence[Line]) -> str:
    head = ", ".join(f"{name} {value}" for name, value in facts.items())
    foot = "app: the server process; pg: every process of PostgreSQL; ratios are to the first line of a route."
    return f"\n{head}\n\n{table(lines)}\n\n{foot}"


if __name__ == "__main__":
    sys.exit(main())
