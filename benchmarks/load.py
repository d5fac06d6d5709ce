"""Load on a server with wrk, and what it answered."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 16
MISSING = "wrk is not installed: `apt-get install wrk`, or `brew install wrk`."
_SCRIPT = Path(__file__).with_name("wrk.lua")


class LoadFailed(Exception):
    """A server answered something else than success, or not at all: its figures would mean nothing."""


@dataclass(frozen=True, slots=True)
class Call:
    """What is sent again and again: ``{id}`` in the path goes round the ids, ``{n}`` in the body is a number."""

    method: str
    url: str
    path: str
    headers: Mapping[str, str]
    body: str = ""


@dataclass(frozen=True, slots=True)
class Answers:
    """What came back; times in milliseconds."""

    requests: int
    seconds: float
    p50: float
    p99: float


def is_installed() -> bool:
    """Tell whether wrk can be run."""
    return shutil.which("wrk") is not None


def send(call: Call, ids: Path, seconds: int) -> Answers:
    """Send a call over 16 connections for some seconds; `ids` is a file with one id a line.

    Raises `LoadFailed` unless every answer was a success.
    """
    environment = os.environ | {
        "BENCH_METHOD": call.method,
        "BENCH_PATH": call.path,
        "BENCH_BODY": call.body,
        "BENCH_HEADERS": "\n".join(f"{name}: {value}" for name, value in call.headers.items()),
        "BENCH_IDS": str(ids),
    }
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "5s", "-s", str(_SCRIPT), call.url]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=seconds + 30, check=False)
    result = next((line for line in done.stdout.splitlines() if line.startswith("RESULT ")), None)
    if done.returncode or result is None:
        raise LoadFailed(f"wrk ended with status {done.returncode}: {done.stderr or done.stdout}")
    said = json.loads(result.removeprefix("RESULT "))
    if said["refused"] or said["broken"] or not said["requests"]:
        raise LoadFailed(
            f"{call.method} {call.url}{call.path}: {said['requests']} requests, {said['refused']} refused, "
            f"{said['broken']} broken"
        )
    return Answers(said["requests"], said["microseconds"] / 1e6, said["p50"] / 1e3, said["p99"] / 1e3)
