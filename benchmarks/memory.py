"""Growth of the server's memory over 100,000 requests, all measured routes in turn.

What is filled once (connections with their prepared statements, compiled statements, caches) is filled by requests
before the first look.
"""

from __future__ import annotations

import argparse
import json
import sys

from benchmarks.arena import OURS, Arena, arena
from benchmarks.cpu import resident_bytes
from benchmarks.load import MISSING, LoadFailed, is_installed, send
from benchmarks.progress import say
from benchmarks.routes import ROUTES
from benchmarks.servers import ServerFailed

TARGET_MB = 5.0
REQUESTS = 100_000

_SHARE = 5
"""Seconds of load at a time; the routes take turns until the requests are sent."""
_WARM_UP = 20_000


def main() -> int:
    """Measure and print; 1 where the target is not met, 2 where nothing could be measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--requests", type=int, default=REQUESTS)
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    if not is_installed():
        say(MISSING)
        return 2
    try:
        with arena([OURS]) as running:
            pid = running.contenders[0].server.pid
            _send(running, _WARM_UP)
            before = resident_bytes(pid)
            sent = _send(running, arguments.requests)
            grown = (resident_bytes(pid) - before) / 1e6
    except (LoadFailed, ServerFailed) as error:
        say(str(error))
        return 2
    is_met = grown < TARGET_MB
    if arguments.json:
        print(json.dumps({"requests": sent, "before_mb": before / 1e6, "grown_mb": grown, "met": is_met}))
    else:
        print(f"{before / 1e6:.1f} MB, and {grown:+.1f} MB after {sent} requests; target below {TARGET_MB:+g} MB")
    return 0 if is_met else 1


def _send(running: Arena, requests: int) -> int:
    contender, sent = running.contenders[0], 0
    while sent < requests:
        for route in ROUTES:
            sent += send(route.call(contender), running.ids, _SHARE).requests
        say(f"  {sent} requests, {resident_bytes(contender.server.pid) / 1e6:.1f} MB")
    return sent


if __name__ == "__main__":
    sys.exit(main())
