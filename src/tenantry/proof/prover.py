"""The run: seed two tenants, attack one from the other by every route, and report."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tenantry.app import Application
from tenantry.database import PlacementKind
from tenantry.kernel import ConfigurationError, SystemClock
from tenantry.proof.calling import AppRequest
from tenantry.proof.checksums import changed
from tenantry.proof.context import ProofContext, proof_context
from tenantry.proof.controls import NEEDS_MAIL, NEEDS_PAIR
from tenantry.proof.lists import can_be_listed, check_of
from tenantry.proof.log_findings import findings_in_logs
from tenantry.proof.people import Persona
from tenantry.proof.probes import Probe
from tenantry.proof.report import Report, RouteResult, RouteStanding, Timing
from tenantry.proof.scratch import Scratch, scratch_database
from tenantry.proof.timing import compare
from tenantry.proof.verdicts import Breach
from tenantry.testing import ApiOperation

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What is proved, and how thoroughly."""

    only: str | None = None
    """Part of the routes' titles (``GET /api/v1/tasks``); None for every route."""
    seed: int = 1
    samples: int = 60
    """Pairs of calls by which times are compared; 0 compares none."""
    placement: PlacementKind = PlacementKind.POOL
    """Where the two tenants lie: in the tables that all share, or each in a schema of its own."""
    server_url: str | None = None
    """An administrator of a server for the scratch database; None for an embedded server."""


async def prove(application: Application, plan: Plan, progress: Progress) -> Report:
    """Prove that tenants of the application are isolated, or find where they are not."""
    progress("making a scratch database")
    async with scratch_database(application, plan.server_url) as scratch:
        return await prove_on(scratch, application, plan, progress)


async def prove_on(scratch: Scratch, application: Application, plan: Plan, progress: Progress) -> Report:
    """Prove it on a scratch database that exists; each proof makes two tenants of its own in it."""
    began = time.perf_counter()
    at = SystemClock().now()
    progress("seeding two tenants")
    async with proof_context(application, scratch, seed=plan.seed, placement=plan.placement) as context:
        run = _ProofRun(context, plan, progress)
        await run.everything()
        return Report(
            application=application.title,
            version=application.version,
            at=at,
            postgres=scratch.version,
            seed=plan.seed,
            only=plan.only,
            seconds=time.perf_counter() - began,
            callers=context.callers,
            routes=[run.result(operation) for operation in run.chosen],
            timings=run.timings,
            places=context.judge.places(),
            statuses={route: tally.statuses for route, tally in context.judge.tallies.items()},
            findings=context.judge.ledger.findings,
            found=sum(context.judge.ledger.counts.values()),
            calls=context.client.calls,
            guarded_rows=context.guard.rows,
        )


@dataclass
class _ProofRun:
    context: ProofContext
    plan: Plan
    progress: Progress
    timings: list[Timing] = field(default_factory=list)
    excuses: dict[str, str] = field(default_factory=dict)

    @property
    def chosen(self) -> list[ApiOperation]:
        """The operations that are proved."""
        only = self.plan.only
        return [one for one in self.context.operations if only is None or only in one.title]

    async def everything(self) -> None:
        """Prove lists first, while nothing was changed yet; then each route; then what needs all of them."""
        if not self.chosen:
            raise ConfigurationError(f"--only {self.plan.only}: no route has this in its title; see tenantry routes.")
        await self._lists()
        for number, operation in enumerate(self.chosen, 1):
            self.progress(f"{number}/{len(self.chosen)} {operation.title}")
            await self._route(operation)
        self.progress("grants")
        await self.context.promises.check()
        await self._times()
        for finding in findings_in_logs(self.context):
            self.context.judge.ledger.add(finding)

    async def _lists(self) -> None:
        context = self.context
        insiders = list(context.mine.side.callers.values())
        for operation in self.chosen:
            if not can_be_listed(operation, context.mine):
                continue
            self.progress(f"list {operation.title}")
            check = check_of(operation, context.operations, context.judge, context.bodies, context.mine)
            await check.everybody(insiders)
            if (cursor := await check.cursor(context.theirs.side.owner, context.theirs)) is not None:
                await check.foreign_cursor(insiders, cursor)

    async def _route(self, operation: ApiOperation) -> None:
        """Prove one route: its control, then everybody's attempts, then the rows of the other tenant."""
        context = self.context
        before = await context.guard.look()
        await self._control(operation)
        for caller in context.attackers:
            await self._attack(operation, caller)
        if operation.is_of_tenant:
            for caller in context.mine.side.callers.values():
                await context.own_calls.attempt(operation, caller)
                for probe in context.extras.probes(operation, caller):
                    await context.judge.probe(probe)
            for outsider in context.outsiders:
                await self._intrude(operation, outsider)
        request = AppRequest(operation.method, operation.path)
        for place in changed(before, await context.guard.look()):
            got = f"changed: {place}"
            context.judge.note(
                Breach.CHANGED, operation, "all", "rows of the other tenant", request, "unchanged rows", got
            )

    async def _control(self, operation: ApiOperation) -> None:
        control = await self.context.controls.of(operation, self.context.mine)
        if control is not None and control.answer.is_success:
            self.context.judge.tally(operation).controls += 1
            return
        excuse = _excuse(operation)
        if excuse is not None:
            self.excuses[operation.title] = excuse
            return
        request = AppRequest(operation.method, operation.path) if control is None else control.request
        got = "there was nothing to call it with" if control is None else control.detail
        expected = "a call that succeeds"
        self.context.judge.note(Breach.UNPROVEN, operation, "all", "allowed control", request, expected, got)

    async def _attack(self, operation: ApiOperation, caller: Persona) -> None:
        judge, matrix = self.context.judge, self.context.matrix
        for probe in matrix.probes(operation, caller):
            await judge.probe(probe)
        for place, request in matrix.malformed(operation, caller):
            case = f"malformed, {place}"
            answer = await judge.call(operation, caller.name, case, request)
            judge.tally(operation).denied += not answer.is_success
            if answer.is_success:
                judge.note(Breach.BROKEN, operation, caller.name, case, request, "4xx", str(answer.status))

    async def _intrude(self, operation: ApiOperation, outsider: Persona) -> None:
        """Somebody who is no member names the other tenant, or no tenant at all."""
        judge, matrix = self.context.judge, self.context.matrix
        for probe in matrix.by_header(operation, outsider):
            await judge.probe(probe)
        request = matrix.unselected(operation, outsider)
        if request is not None:
            answer = await judge.call(operation, outsider.name, "other tenant, no header", request)
            judge.tally(operation).denied += not answer.is_success
            if answer.is_success:
                got = str(answer.status)
                judge.note(Breach.OUTSIDER, operation, outsider.name, "other tenant, no header", request, "4xx", got)

    async def _times(self) -> None:
        """Compare times of the member's calls: what is read by id, and one route with the other tenant's header."""
        if not self.plan.samples:
            return
        chance = random.Random(self.plan.seed)  # noqa: S311 - an order of calls, no secret
        caller = self.context.mine.side.callers["member"]
        is_header_timed = False
        for operation in self.chosen:
            if operation.method != "GET" or not operation.is_of_tenant:
                continue
            for probe in self.context.matrix.probes(operation, caller):
                is_header = probe.place == "header X-Tenant-Id" and not is_header_timed
                if is_header or (probe.place == "path" and probe.thing == "other tenant"):
                    is_header_timed = is_header_timed or is_header
                    await self._time(probe, chance)

    async def _time(self, probe: Probe, chance: random.Random) -> None:
        judge = self.context.judge
        self.progress(f"times of {probe.operation.title}")

        async def foreign() -> float:
            return (await judge.client.call(probe.build(probe.foreign))).seconds

        async def nowhere() -> float:
            return (await judge.client.call(probe.build(judge.nowhere.like(probe.foreign, probe.of)))).seconds

        found = await compare(foreign, nowhere, pairs=self.plan.samples, chance=chance)
        self.timings.append(
            Timing(probe.operation.title, probe.place, found.pairs, found.p, found.ratio, found.differs)
        )
        if found.differs:
            case = f"{probe.thing}, {probe.place}"
            got = f"p {found.p:.1e} in {found.pairs} pairs, ratio of the medians {found.ratio:.2f}"
            request = probe.build(probe.foreign)
            judge.note(Breach.TIMING, probe.operation, probe.caller, case, request, "the same time", got)

    def result(self, operation: ApiOperation) -> RouteResult:
        """Return what is known of a route."""
        tally = self.context.judge.tally(operation)
        found = self.context.judge.ledger.of_route(operation.title)
        reason = self.excuses.get(operation.title)
        standing = RouteStanding.FOUND if found else RouteStanding.SKIPPED if reason else RouteStanding.PROVED
        return RouteResult(
            operation.title, standing, tally.calls, tally.denied, tally.controls, found, sorted(tally.callers), reason
        )


def _excuse(operation: ApiOperation) -> str | None:
    """Return why a route needs no control: it is public, or about a person's own sessions."""
    if operation.is_public:
        return NEEDS_MAIL
    return None if operation.is_of_tenant else NEEDS_PAIR
