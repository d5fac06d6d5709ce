"""A time limit for every request, for the price of a dictionary entry.

`asyncio.timeout` arms and disarms a timer for each request, 6 µs of CPU. All requests have the same limit, so they run
out in the order in which they began: one timer, for the oldest, is enough.
"""

from __future__ import annotations

import asyncio


class TimeLimit:
    """Cancels tasks that run longer than `seconds` (up to a quarter longer); used by one event loop."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._running: dict[asyncio.Task[object], float] = {}
        self._late: set[asyncio.Task[object]] = set()
        self._watch: asyncio.TimerHandle | None = None

    def begin(self) -> asyncio.Task[object]:
        """Watch the current task from now on; `end` must follow."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        if task is None:
            raise RuntimeError("a request is served by a task")
        self._running[task] = loop.time() + self._seconds
        if self._watch is None:
            self._watch = loop.call_later(self._seconds, self._look)
        return task

    def end(self, task: asyncio.Task[object]) -> bool:
        """Watch the task no longer; tell whether it was late, and takes the cancellation back then."""
        self._running.pop(task, None)
        if task not in self._late:
            return False
        self._late.discard(task)
        task.uncancel()
        return True

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for task, deadline in list(self._running.items()):
            if deadline > now:
                break  # the ones behind it began later
            del self._running[task]
            self._late.add(task)
            task.cancel()
        pause = self._seconds / 4
        self._watch = loop.call_later(pause, self._look) if self._running else None
