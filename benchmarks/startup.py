"""Time from the command to the first answer of an API route: on a fresh data directory, then on the existing one.

`tenantry dev` makes the database, migrates and seeds on a fresh directory. The first answer is the 200 to the list of
items of a signed-in owner; that sign-in, with its password hash, is part of the time.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.planner import ITEMS_PATH, Session, planner
from benchmarks.servers import ServerFailed, status_of

FRESH_TARGET = 4.0
EXISTING_TARGET = 2.0

RESULTS = Path(__file__).with_name("results")


def main() -> int:
    """Measure and print; 1 where a target is not met, 2 where nothing answered."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="starts on the existing directory")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix="startup-", dir=RESULTS) as directory:
            fresh, *existing = (seconds_to_answer(Path(directory)) for _ in range(1 + arguments.rounds))
    except (ServerFailed, subprocess.SubprocessError) as error:
        print(error, file=sys.stderr)
        return 2
    is_met = fresh <= FRESH_TARGET and max(existing) <= EXISTING_TARGET
    if arguments.json:
        print(json.dumps({"fresh_s": fresh, "existing_s": existing, "met": is_met}))
    else:
        print(f"fresh data directory     {fresh:.2f} s   target {FRESH_TARGET:g} s")
        print(
            f"existing data directory  {max(existing):.2f} s   target {EXISTING_TARGET:g} s, worst of {len(existing)}"
        )
    return 0 if is_met else 1


def seconds_to_answer(directory: Path) -> float:
    """Start `tenantry dev` once in a directory and return the seconds until an owner has got a list of items."""
    began = time.monotonic()
    with planner(directory / "data", directory / "dev.log", command="dev") as server:
        session = Session(server, "acme")
        status = status_of(server.port, ITEMS_PATH, headers=session.headers)
        seconds = time.monotonic() - began
    if status != 200:
        raise ServerFailed(f"The list of items answered {status}.")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
