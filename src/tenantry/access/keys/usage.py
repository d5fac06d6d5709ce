"""When a key was last used: noted while requests run, written behind their back, once a minute for a key at most."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, defaultdict
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from tenantry.access.keys.repository import NOTE_USE
from tenantry.database import Database
from tenantry.kernel import SYSTEM, Clock

INTERVAL = timedelta(minutes=1)
"""How exact the time of the last use is: a key writes its row this often, not with every request."""

_GATHERING = 0.5
"""Seconds for which uses are gathered before they are written together."""

_REMEMBERED = 10_000
_PATIENCE = 5.0
_log = structlog.get_logger("tenantry.access")


class KeyUsage:
    """Writes `last_used_at`. What it could not write is logged and forgotten: no request waits for it, or fails."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._noted: OrderedDict[UUID, datetime] = OrderedDict()
        self._pending: defaultdict[UUID, set[UUID]] = defaultdict(set)
        self._writing: asyncio.Task[None] | None = None
        self._is_closing = asyncio.Event()

    def note(self, tenant_id: UUID, key_id: UUID, now: datetime) -> None:
        """Note that a key was used; called for every request, so it does nothing at all most of the time."""
        last = self._noted.get(key_id)
        if last is not None and now - last < INTERVAL:
            return
        self._noted[key_id] = now
        self._noted.move_to_end(key_id)
        if len(self._noted) > _REMEMBERED:
            self._noted.popitem(last=False)
        self._pending[tenant_id].add(key_id)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.get_running_loop().create_task(self._write_soon())

    async def close(self) -> None:
        """Write what was noted, and give up after five seconds."""
        self._is_closing.set()
        if self._writing is not None:
            _, late = await asyncio.wait([self._writing], timeout=_PATIENCE)
            for task in late:
                task.cancel()

    async def _write_soon(self) -> None:
        while self._pending:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_closing.wait(), _GATHERING)
            gathered, self._pending = self._pending, defaultdict(set)
            for tenant_id, key_ids in gathered.items():
                await self._write(tenant_id, key_ids)

    async def _write(self, tenant_id: UUID, key_ids: set[UUID]) -> None:
        now = self._clock.now()
        try:
            async with self._database.control_scope(actor=SYSTEM, tenant_id=tenant_id) as uow:
                await uow.run(
                    NOTE_USE, tenant_id=tenant_id, key_ids=sorted(key_ids), now=now, noted_before=now - INTERVAL
                )
        except Exception as error:  # noqa: BLE001 - nobody waits for this: the log is where a failure can be seen
            _log.warning("use of keys not noted", error=type(error).__name__, count=len(key_ids))
