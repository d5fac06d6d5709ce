"""How much memory this process has; known on Linux alone."""

from __future__ import annotations

import resource
from pathlib import Path

MIB = 2**20

_PAGES = Path("/proc/self/statm")


def memory() -> int:
    """Return the bytes of this process in memory; 0 where nobody knows."""
    return int(_PAGES.read_text().split()[1]) * resource.getpagesize() if _PAGES.exists() else 0
