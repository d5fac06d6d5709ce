"""The run: furnish two tenants, attack one from the other by every route, and report."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from tenantry.app import Application
from tenantry.kernel import SystemClock
from tenantry.proof.calling import Request
from tenantry.proof.checksums import Checksums, changed
from tenantry.proof.controls import NEEDS_MAIL, NEEDS_PAIR, Control
from tenantry.proof.people import Caller
from tenantry.proof.report import Line, Report, Standing
from tenantry.proof.scratch import scratch_database
from tenantry.proof.staging import Stage, staged
from tenantry.proof.surface import Operation
from tenantry.proof.verdicts import Kind

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What is proved, and how thoroughly."""

    only: str | None = None
    """Part of the routes' titles (``GET /api/v1/tasks``); None for every route."""
    seed: int = 1
    samples: int = 60
    """Pairs of calls by which times are compared; 0 compares none."""
    server_url: str | None = None
    """An administrator of a server for the scratch database; None for an embedded server."""


async def prove(application: Application, plan: Plan, progress: Progress) -> Report:
    """Prove that tenants of the application are isolated, or find where they are not."""
    began = time.perf_counter()
    at = SystemClock().now()
    progress("making a scratch database")
    async with scratch_database(application, plan.server_url) as scratch:
        progress("furnishing two tenants")
        async with staged(application, scratch, seed=plan.seed) as stage:
            lines = await _Run(stage, plan, progress).everything()
            return Report(
                application=application.title,
                version=application.version,
                at=at,
                postgres=scratch.version,
                seed=plan.seed,
                only=plan.only,
                seconds=time.perf_counter() - began,
                callers=[one.name for one in (*stage.attackers, *stage.outsiders)],
                lines=lines,
                findings=stage.judge.ledger.findings,
                counts=stage.judge.ledger.counts,
                calls=stage.door.calls,
                guarded_rows=stage.guard.rows,
            )


class _Run:
    def __init__(self, stage: Stage, plan: Plan, progress: Progress) -> None:
        self._stage = stage
        self._plan = plan
        self._progress = progress

    async def everything(self) -> list[Line]:
        chosen = [one for one in self._stage.operations if self._plan.only is None or self._plan.only in one.title]
        lines = []
        for number, operation in enumerate(chosen, 1):
            self._progress(f"{number}/{len(chosen)} {operation.title}")
            lines.append(await self._route(operation))
        return lines

    async def _route(self, operation: Operation) -> Line:
        """Prove one route: its control, then everybody's attempts, then the rows of the other tenant."""
        before = await self._stage.guard.look()
        control = await self._control(operation)
        for caller in self._stage.attackers:
            await self._attack(operation, caller)
        if operation.is_of_tenant:
            for outsider in self._stage.outsiders:
                for probe in self._stage.matrix.by_header(operation, outsider):
                    await self._stage.judge.probe(probe)
        await self._unchanged(operation, before)
        return self._line(operation, control)

    async def _control(self, operation: Operation) -> Control | None:
        control = await self._stage.controls.of(operation, self._stage.mine)
        if control is not None and control.answer.is_success:
            self._stage.judge.tally(operation).controls += 1
        return control

    async def _attack(self, operation: Operation, caller: Caller) -> None:
        judge, matrix = self._stage.judge, self._stage.matrix
        for probe in matrix.probes(operation, caller):
            await judge.probe(probe)
        malformed = matrix.malformed(operation, caller)
        if malformed is not None:
            answer = await judge.call(operation, caller.name, "malformed, path", malformed)
            if answer.is_success:
                judge.note(Kind.BROKEN, operation, caller.name, "malformed, path", malformed, "4xx", str(answer.status))

    async def _unchanged(self, operation: Operation, before: Checksums) -> None:
        for place in changed(before, await self._stage.guard.look()):
            request = Request(operation.method, operation.path)
            self._stage.judge.note(
                Kind.CHANGED,
                operation,
                "all",
                "rows of the other tenant",
                request,
                "unchanged rows",
                f"changed: {place}",
            )

    def _line(self, operation: Operation, control: Control | None) -> Line:
        tally = self._stage.judge.tally(operation)
        reason = None
        if not tally.controls:
            reason = self._excuse(operation)
            if reason is None:
                request = Request(operation.method, operation.path) if control is None else control.request
                got = "there was nothing to call it with" if control is None else control.detail
                self._stage.judge.note(
                    Kind.UNPROVEN, operation, "all", "allowed control", request, "a call that succeeds", got
                )
        found = self._stage.judge.ledger.of_route(operation.title)
        standing = Standing.SKIPPED if reason else Standing.FOUND if found else Standing.PROVED
        return Line(
            operation.title, standing, tally.calls, tally.denied, tally.controls, found, sorted(tally.callers), reason
        )

    def _excuse(self, operation: Operation) -> str | None:
        """Return why a route needs no control: it is public, or about a person's own sessions."""
        if operation.is_public:
            return NEEDS_MAIL
        return None if operation.is_of_tenant else NEEDS_PAIR
