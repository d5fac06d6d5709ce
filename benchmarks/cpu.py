"""CPU time of processes, from /proc: the counters of the kernel, which no profiler and no clock of ours disturbs."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

_TICK = 1 / os.sysconf("SC_CLK_TCK")
_UTIME, _STIME, _CUTIME, _CSTIME = 11, 12, 13, 14
_PARENT = 1


def tree_seconds(root: int) -> float:
    """Return the CPU seconds that a process and its descendants have used, those included that have ended.

    A process's counters hold all its threads, and those of the children that it has waited for.
    """
    return sum(_own_seconds(pid) for pid in _tree(root))


def _own_seconds(pid: int) -> float:
    fields = _stat(pid)
    return sum(int(fields[at]) for at in (_UTIME, _STIME, _CUTIME, _CSTIME)) * _TICK if fields else 0.0


def _tree(root: int) -> list[int]:
    children: dict[int, list[int]] = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children[int(fields[_PARENT])].append(int(entry.name))
    found = [root]
    for pid in found:
        found += children[pid]
    return found


def _stat(pid: int) -> list[str]:
    """Return the fields after the name (which may hold spaces); empty for a process that has gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def resident_bytes(pid: int) -> int:
    """Return the memory of a process that is in RAM now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
