"""What the figures were measured on, and whether something else was running there."""

from __future__ import annotations

import os
import platform
from pathlib import Path

_BUSY = 0.5
"""Runnable processes, on average over a minute, from which on the figures are not to be trusted."""


def facts() -> dict[str, str | int | float]:
    """Return what belongs beside every figure."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count() or 0,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def is_busy() -> bool:
    """Tell whether other work was running in the last minute."""
    return os.getloadavg()[0] > _BUSY


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
