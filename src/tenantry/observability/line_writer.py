"""Writes lines from a thread, so that a slow reader of the log never holds up the event loop."""

from __future__ import annotations

import contextlib
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import TextIO


class LineWriter:
    r"""Collects lines and writes them together every `interval` seconds from a thread of its own.

    A reader that stands still costs at most `max_lines` lines of memory; what comes then is dropped and counted in
    `dropped`. `close()` writes the rest; a process that is killed loses the lines of the last interval.

    >>> import io
    >>> out = io.StringIO(); writer = LineWriter(out); writer.write("one\n"); writer.close(); out.getvalue()
    'one\n'
    """

    def __init__(self, stream: TextIO, *, interval: float = 0.1, max_lines: int = 50_000) -> None:
        self._stream = stream
        self._interval = interval
        self._max_lines = max_lines
        self._lines: SimpleQueue[str | None] = SimpleQueue()
        self._closing = Event()
        self._thread: Thread | None = Thread(target=self._run, name="tenantry-access-log", daemon=True)
        self.dropped = 0
        """Lines that were not written because the stream did not keep up."""
        self._thread.start()

    def write(self, line: str) -> None:
        """Take one line (with its line end); returns at once, from any thread."""
        if self._lines.qsize() < self._max_lines:
            self._lines.put(line)
        else:
            self.dropped += 1

    def close(self, wait: float = 2.0) -> None:
        """Write what is left and end the thread, waiting at most `wait` seconds. Lines after this are lost."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._closing.set()
        self._lines.put(None)
        thread.join(wait)

    def _run(self) -> None:
        is_open = True
        while is_open:
            lines = [self._lines.get()]
            self._closing.wait(self._interval)
            with contextlib.suppress(Empty):
                while True:
                    lines.append(self._lines.get_nowait())
            is_open = None not in lines
            # A closed pipe or a full disk must not end the thread, and there is no better place to report it to.
            with contextlib.suppress(OSError, ValueError):
                self._stream.write("".join(line for line in lines if line is not None))
                self._stream.flush()
