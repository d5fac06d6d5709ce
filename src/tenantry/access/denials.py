"""The trail of denials: who was refused what on which record.

A refusal rolls its transaction back, so the line about it is written afterwards, in a short transaction of its own that
is committed before the answer leaves. Repetitions are counted: the first refusal of an actor, an action and a type of
record is written at once, and what follows within a minute becomes one more line, with its number, when the minute
ends. So 10,000 refusals are two lines, and nobody fills the trail by asking again.

Lost by ``kill -9`` are at most the numbers of the running minute. `close` writes them.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from prometheus_client import Counter

from tenantry.audit import record
from tenantry.database import UnitOfWork
from tenantry.kernel import Actor
from tenantry.runtime import Runtime
from tenantry.tenancy import TenantFacts

DENIED = "access.denied"
"""The action of every line."""

WINDOW = timedelta(minutes=1)
"""How long repetitions are counted before their number is written."""

MAX_WINDOWS = 10_000
"""Windows counted at the same time, about 1 KiB each; beyond that each refusal is written."""

_PATIENCE = 2.0
"""Seconds that writing one line may take: the 403 waits for it."""
_LEAVING = 5.0
"""Seconds that `close` may take."""
_log = structlog.get_logger("tenantry.access")


@dataclass(frozen=True, slots=True)
class Denial:
    """One refusal. `tenant` is the tenant whose member the actor is known to be; None: the line is the platform's.

    Nobody writes into the trail of a tenant that they named and are no member of.
    """

    actor: Actor
    tenant: TenantFacts | None
    code: str
    permission: str | None
    resource_type: str
    resource_id: UUID | None
    method: str
    route: str
    request_id: str | None

    @property
    def kind(self) -> tuple[object, ...]:
        """Return what repetitions have in common."""
        tenant_id = None if self.tenant is None else self.tenant.id
        return tenant_id, self.actor, self.permission or (self.code, self.route), self.resource_type


@dataclass(slots=True)
class _Window:
    ends: asyncio.TimerHandle
    repeated: int = 0
    last: Denial | None = None
    records: set[UUID | None] = field(default_factory=set)
    """At most two: more are as good as two."""

    def count(self, denial: Denial) -> None:
        self.repeated += 1
        self.last = denial
        if len(self.records) < 2:
            self.records.add(denial.resource_id)

    def total(self) -> Denial | None:
        """Return the last repetition, without its record where others were about other records."""
        if self.last is None or len(self.records) == 1:
            return self.last
        return replace(self.last, resource_id=None)


class DenialTrail:
    """Writes denials. One for a process, which counts by itself: two processes write two first lines.

    A line that cannot be written changes no answer: the 403 stands, an error is logged, and
    ``tenantry_denials_unwritten_total`` counts it. The first refusal of a window is then counted among those that
    follow, and so is written a minute later; the number of a window that fails is lost.
    """

    def __init__(self, runtime: Runtime, *, window: timedelta = WINDOW, max_windows: int = MAX_WINDOWS) -> None:
        self._database = runtime.database
        self._seconds = window.total_seconds()
        self._max_windows = max_windows
        self._windows: dict[tuple[object, ...], _Window] = {}
        self._writing: set[asyncio.Task[None]] = set()
        self._one_by_one = asyncio.Lock()
        self._unwritten = Counter(
            "tenantry_denials_unwritten",
            "Lines of the trail about refusals that could not be written.",
            registry=runtime.metrics.registry,
        )

    async def note(self, denial: Denial) -> None:
        """Write a refusal, or count it. Returns when the line is committed, and raises nothing but a cancellation."""
        key = denial.kind
        window = self._windows.get(key)
        if window is not None:
            window.count(denial)
            return
        if len(self._windows) < self._max_windows:
            timer = asyncio.get_running_loop().call_later(self._seconds, self._end, key)
            window = self._windows[key] = _Window(timer)
        is_written = False
        try:
            is_written = await self._write(denial, 1)
        finally:  # also where the request was cancelled: then nobody knows whether it was written
            if not is_written and window is not None:
                window.count(denial)

    async def close(self) -> None:
        """Write every number that is not written yet; what is noted afterwards begins anew."""
        for key in list(self._windows):
            self._end(key)
        if self._writing:
            _, late = await asyncio.wait(self._writing, timeout=_LEAVING)
            for task in late:
                task.cancel()
            if late:
                self._unwritten.inc(len(late))
                _log.error("denials not written", count=len(late))
                await asyncio.wait(late)  # their connections go back before the pool is closed

    def _end(self, key: tuple[object, ...]) -> None:
        window = self._windows.pop(key)
        window.ends.cancel()
        total = window.total()
        if total is not None:
            task = asyncio.get_running_loop().create_task(self._write_total(total, window.repeated))
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)

    async def _write_total(self, denial: Denial, number: int) -> None:
        async with self._one_by_one:  # thousands of windows may end together: requests need connections, too
            await self._write(denial, number)

    async def _write(self, denial: Denial, number: int) -> bool:
        after = {
            "permission": denial.permission,
            "code": denial.code,
            "method": denial.method,
            "route": denial.route,
            "count": number,
        }
        try:
            async with asyncio.timeout(_PATIENCE), self._scope(denial) as uow:
                await record(
                    uow, DENIED, resource_type=denial.resource_type, resource_id=denial.resource_id, after=after
                )
        except Exception as error:  # noqa: BLE001 - a refusal stays a refusal; the log says what the trail does not
            self._unwritten.inc()
            _log.error("denial not written", error=type(error).__name__, **_named(denial), **after)
            return False
        return True

    def _scope(self, denial: Denial) -> UnitOfWork:
        tenant = denial.tenant
        if tenant is None:
            return self._database.control_scope(actor=denial.actor, request_id=denial.request_id)
        return self._database.tenant_scope(
            tenant.id, tenant.placement, actor=denial.actor, request_id=denial.request_id
        )


def _named(denial: Denial) -> dict[str, Any]:
    return {
        "tenant_id": None if denial.tenant is None else str(denial.tenant.id),
        "actor_id": str(denial.actor.id),
        "resource_type": denial.resource_type,
        "resource_id": str(denial.resource_id),
    }
