"""Server processes: started for a measurement, waited for, and ended."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TENANTRY = Path(sys.executable).with_name("tenantry")
HOST = "127.0.0.1"

_STEP = 0.01
_PATIENCE = 30.0


class ServerFailed(Exception):
    """A server did not start, or ended by itself."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server process."""

    name: str
    port: int
    process: subprocess.Popen[bytes] = field(repr=False)
    log: Path

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        """Its first process."""
        return self.process.pid

    def wait(self, answers: Callable[[], bool]) -> None:
        """Return as soon as `answers` is true; raises `ServerFailed` when it ends or after 30 s."""
        deadline = time.monotonic() + _PATIENCE
        while not answers():
            if self.process.poll() is not None:
                raise ServerFailed(f"{self.name} ended with status {self.process.returncode}:\n{_end_of(self.log)}")
            if time.monotonic() > deadline:
                raise ServerFailed(f"{self.name} did not answer within {_PATIENCE:.0f} s:\n{_end_of(self.log)}")
            time.sleep(_STEP)


@contextmanager
def running(
    name: str, command: Sequence[str | Path], *, port: int, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Run a server for the block; its output goes to `log`, as it would to a file in production."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("TENANTRY_")}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=output, stderr=output, env=variables | dict(environment or {})
        )
    try:
        yield Server(name, port, process, log)
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """Return a port that nobody uses now."""
    with socket.socket() as listening:
        listening.bind((HOST, 0))
        port: int = listening.getsockname()[1]
        return port


def status_of(
    port: int, path: str, *, headers: Mapping[str, str] | None = None, method: str = "GET", body: str | None = None
) -> int:
    """Return the status of a request, 0 where nobody answers."""
    return ask(port, path, headers=headers, method=method, body=body)[0]


def ask(
    port: int, path: str, *, headers: Mapping[str, str] | None = None, method: str = "GET", body: str | None = None
) -> tuple[int, bytes]:
    """Return status and body of a request; status 0 where nobody answers."""
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    try:
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.read()
    except OSError:
        return 0, b""
    finally:
        connection.close()


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-20:])
