"""Everything that runs during a measurement: one PostgreSQL, the servers, and the same items for each of them."""

from __future__ import annotations

import secrets
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from uuid_utils.compat import uuid7

from benchmarks import planner, raw_checked
from benchmarks.cluster import Cluster, Item, new_items
from benchmarks.progress import say
from benchmarks.routes import Contender
from benchmarks.servers import free_port, running, status_of
from tenantry.database.embedded import EmbeddedServer, find_binaries

RESULTS = Path(__file__).with_name("results")

ITEMS = 10_000
ROTATING = 1_000
"""Items that the requests by id go round."""

FLOOR, BARE, BY_HAND, OURS = "floor", "bare floor", "by hand", "tenantry"


@dataclass(frozen=True, slots=True)
class Arena:
    """What is measured; the first contender is what the others are compared with."""

    cluster: Cluster
    contenders: Sequence[Contender]
    ids: Path

    def first_id(self) -> str:
        """Return an id that exists for every contender."""
        with self.ids.open() as lines:
            return lines.readline().strip()


@contextmanager
def arena(names: Sequence[str]) -> Iterator[Arena]:
    """Start the named servers, in this order."""
    RESULTS.mkdir(exist_ok=True)
    with ExitStack() as stack:
        # beside the results and not in /tmp, which may be memory, where fsync costs nothing
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="run-", dir=RESULTS)))
        data = directory / "tenantry"
        data.mkdir()
        if OURS in names:
            say("Planner makes its database.")
            with planner.planner(data, directory / "dev.log", command="dev"):
                pass
        cluster = Cluster(stack.enter_context(EmbeddedServer(data / "postgres", find_binaries())))
        items = new_items(ITEMS)
        ids = directory / "ids.txt"
        ids.write_text("".join(f"{item[0]}\n" for item in items[:: ITEMS // ROTATING]))
        say(f"{ITEMS} items for each of: {', '.join(names)}.")
        stage = _Stage(stack, cluster, directory, items)
        start = {
            FLOOR: lambda: stage.floor(FLOOR),
            BARE: lambda: stage.floor(BARE, "--no-reset"),
            BY_HAND: stage.by_hand,
            OURS: stage.ours,
        }
        yield Arena(cluster, [start[name]() for name in names], ids)


@dataclass(frozen=True, slots=True)
class _Stage:
    stack: ExitStack
    cluster: Cluster
    directory: Path
    items: Sequence[Item]

    def floor(self, name: str, *options: str) -> Contender:
        database = f"benchmark_{name.replace(' ', '_')}"
        self.cluster.make_floor(database, self.items)
        return self._plain(name, "benchmarks.floor", self.cluster.url(database), options, {})

    def by_hand(self) -> Contender:
        database, secret = "benchmark_by_hand", secrets.token_hex(32)
        tenant_id, user_id = uuid7(), uuid7()
        self.cluster.make_by_hand(database, tenant_id, user_id, self.items)
        dsn = self.cluster.server.url(database, raw_checked.ROLE)
        headers = {
            "Authorization": f"Bearer {raw_checked.issue(secret.encode(), user_id, 3600)}",
            "X-Tenant-Id": str(tenant_id),
        }
        return self._plain(BY_HAND, "benchmarks.raw_checked", dsn, ("--secret", secret), headers)

    def ours(self) -> Contender:
        server = self.stack.enter_context(planner.planner(self.directory / "tenantry", self.directory / "serve.log"))
        session = planner.Session(server, "acme")
        self.cluster.fill_tenant(planner.DATABASE, session.tenant_id, self.items)
        return Contender(OURS, server, planner.ITEMS_PATH, lambda: session.headers)

    def _plain(self, name: str, module: str, dsn: str, options: Sequence[str], headers: dict[str, str]) -> Contender:
        port = free_port()
        command = [sys.executable, "-m", module, "--dsn", dsn, "--port", str(port), *options]
        log = self.directory / f"{name.replace(' ', '-')}.log"
        server = self.stack.enter_context(running(name, command, port=port, log=log))
        server.wait(lambda: status_of(port, "/items", headers=headers) == 200)
        return Contender(name, server, "/items", lambda: headers)
