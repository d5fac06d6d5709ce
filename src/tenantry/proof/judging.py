"""Calls the probes of the matrix and judges their answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tenantry.proof.calling import AppClient, AppRequest, AppResponse
from tenantry.proof.probes import Nowhere, Probe
from tenantry.proof.verdicts import Breach, IsolationFinding, Ledger, Secrets, difference, items_of, page_of, shown
from tenantry.testing import ApiOperation

DENIED = range(400, 500)
BROKEN = 500
UNAVAILABLE = 503
Statuses = Counter[tuple[str, str, int]]
"""How often probes were answered, by caller, place and status."""


@dataclass
class Tally:
    """What was called on one route."""

    calls: int = 0
    denied: int = 0
    controls: int = 0
    callers: set[str] = field(default_factory=set)
    places: Counter[str] = field(default_factory=Counter)
    statuses: Statuses = field(default_factory=Counter)


@dataclass
class Judge:
    """Sends requests, compares the answers of twins, and notes what is wrong."""

    client: AppClient
    nowhere: Nowhere
    secrets: Secrets
    ledger: Ledger
    tallies: dict[str, Tally] = field(default_factory=dict)

    def tally(self, operation: ApiOperation) -> Tally:
        """Return the tally of a route."""
        return self.tallies.setdefault(operation.title, Tally())

    def places(self) -> dict[str, int]:
        """Return how many probes there were in each kind of place."""
        kinds: Counter[str] = Counter()
        for tally in self.tallies.values():
            for place, number in tally.places.items():
                kinds[_kind_of(place)] += number
        return dict(kinds.most_common())

    async def call(self, operation: ApiOperation, caller: str, case: str, request: AppRequest) -> AppResponse:
        """Send one request, and look whether its answer shows a secret or is a failure of the application."""
        answer = await self.client.call(request)
        tally = self.tally(operation)
        tally.calls += 1
        tally.callers.add(caller)
        if leaked := self.secrets.shown_in(answer, request):
            found = f"{', '.join(sorted(leaked)[:3])} in {shown(answer)}"
            self.note(Breach.LEAK, operation, caller, case, request, "nothing of the other tenant", found)
        if answer.status >= BROKEN and answer.status != UNAVAILABLE:
            self.note(Breach.BROKEN, operation, caller, case, request, "an answer below 500", shown(answer))
        return answer

    async def probe(self, probe: Probe) -> None:
        """Send a probe and its twin; what is foreign must be answered like what is nowhere."""
        case = f"{probe.thing}, {probe.place}"
        foreign, twin, told = await self._pair(probe, case)
        tally = self.tally(probe.operation)
        tally.places[probe.place] += 1
        tally.statuses[probe.caller, probe.place, foreign.status] += 1
        if foreign.status in DENIED:
            tally.denied += 1
        if told is not None:
            # What changes by itself (a clock, a counter) differs between any two calls: it must differ again.
            _, _, told = await self._pair(probe, case)
        request = probe.build(probe.foreign)
        operation, caller = probe.operation, probe.caller
        if told is not None:
            kind = Breach.ACCEPTED if foreign.is_success and not twin.is_success else Breach.TOLD_APART
            if not probe.is_foreign and foreign.is_success:
                kind = Breach.HIDDEN_SHOWN
            self.note(
                kind, operation, caller, case, request, f"as for nothing: {shown(twin)}", f"{told}: {shown(foreign)}"
            )
        elif probe.must_fail and foreign.is_success:
            self.note(Breach.ACCEPTED, operation, caller, case, request, "4xx", shown(foreign))
        elif probe.place.startswith("query") and (items_of(foreign) or page_of(foreign).get("total")):
            self._judge_found(probe, case, request, foreign)
        elif probe.place.startswith("header") and foreign.status not in DENIED:
            self.note(Breach.OUTSIDER, operation, caller, case, request, "400 or 403", shown(foreign))

    def note(
        self,
        kind: Breach,
        operation: ApiOperation,
        caller: str,
        case: str,
        request: AppRequest,
        expected: str,
        got: str,
    ) -> None:
        """Note a finding."""
        self.ledger.add(IsolationFinding(kind, operation.title, caller, case, request.line, expected, got))

    def _judge_found(self, probe: Probe, case: str, request: AppRequest, answer: AppResponse) -> None:
        """A filter that the route does not know may be ignored, as the twin's was; one that it knows finds nothing."""
        if probe.place.endswith("undeclared"):
            return
        self.note(Breach.COUNT, probe.operation, probe.caller, case, request, "no items, total 0", shown(answer))

    async def _pair(self, probe: Probe, case: str) -> tuple[AppResponse, AppResponse, str | None]:
        values = self.nowhere.like(probe.foreign, probe.of)
        foreign = await self.call(probe.operation, probe.caller, case, probe.build(probe.foreign))
        twin = await self.call(probe.operation, probe.caller, f"nothing, {probe.place}", probe.build(values))
        return foreign, twin, difference(foreign, twin, probe.foreign, values)


def _kind_of(place: str) -> str:
    """Return a place without the names of its route: ``body`` for ``body member project_id``."""
    if place.startswith(("nested path", "header")):
        return place.partition(",")[0]
    return place if place.startswith("path") else place.partition(" ")[0]
