"""Tenantry as its users run it: processes, their output, their exit codes, and requests to them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from httpx2 import Client, Response, TransportError

TENANTRY = Path(sys.executable).with_name("tenantry")
PASSWORD = "tenantry-demo"
_ADDRESS = re.compile(r"http://(127\.0\.0\.1:\d+)")


def patience(seconds: float) -> float:
    """Return the limit for something that takes `seconds` on a machine with nothing else to do."""
    return seconds * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str

    def refused(self, code: int, *words: str) -> None:
        """Expect this exit code, every one of the words, and no traceback."""
        assert "Traceback" not in self.err, self.err
        assert (self.code, [word for word in words if word not in self.err]) == (code, []), self.err


@dataclass(frozen=True)
class Commands:
    """Runs `tenantry` in a directory of its own, with no setting of the machine's."""

    directory: Path
    settings: Mapping[str, str]
    prefix: Sequence[str] = ()

    def with_(self, *, prefix: Sequence[str] = (), **settings: str) -> Commands:
        return Commands(self.directory, {**self.settings, **settings}, prefix)

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("TENANTRY_", "PG"))}
        kept.pop("PYTHONDONTWRITEBYTECODE", None)
        return {**kept, "PYTHONPYCACHEPREFIX": str(self.directory.parent / "bytecode"), **self.settings}

    def run(self, *arguments: str | Path, stdin: str = "", seconds: float = 60) -> Ended:
        done = subprocess.run(
            [*self.prefix, TENANTRY, *arguments],
            cwd=self.directory,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=patience(seconds),
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str | Path) -> Running:
        """Start a server on a free port; use it as a context."""
        return Running(self, arguments)


class Running:
    """A server process. Leaving the context kills it if it still runs."""

    def __init__(self, commands: Commands, arguments: Sequence[str | Path]) -> None:
        self.commands = commands
        number = len(list(commands.directory.glob("*.out")))
        self._out, self._err = (commands.directory / f"{number}.{kind}" for kind in ("out", "err"))
        self.began = time.monotonic()
        with self._out.open("w") as out, self._err.open("w") as err:
            self.process = subprocess.Popen(
                [TENANTRY, *arguments, "--port", "0"],
                cwd=commands.directory,
                env=commands.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )
        self.client = Client(timeout=30)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    @property
    def out(self) -> str:
        return self._out.read_text()

    @property
    def err(self) -> str:
        return self._err.read_text()

    @property
    def address(self) -> str:
        found = _ADDRESS.search(self.out)
        assert found is not None, self.out
        return found[1]

    def ready(self, seconds: float = 60) -> float:
        """Wait until it serves and return how long that took from its start."""

        def answers() -> bool:
            assert self.process.poll() is None, self.err
            return _ADDRESS.search(self.out) is not None and self.status("/readyz") == 200

        eventually(answers, seconds)
        return time.monotonic() - self.began

    def status(self, path: str) -> int:
        """Return the status of an answer, 0 for none."""
        try:
            return self.client.get(f"http://{self.address}{path}").status_code
        except TransportError:
            return 0

    def call(self, method: str, path: str, **options: Any) -> Response:
        return self.client.request(method, f"http://{self.address}/api/v1{path}", **options)

    def token(self, email: str = "owner@acme.test") -> str:
        answer = self.call("POST", "/auth/login", json={"email": email, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def headers(self, email: str = "owner@acme.test", tenant: str = "acme") -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(email)}", "X-Tenant-Slug": tenant}

    def end(self, how: signal.Signals = signal.SIGTERM, seconds: float = 30) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(how)
        return self.process.wait(patience(seconds))


def eventually(is_so: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until a question is answered with yes."""
    deadline = time.monotonic() + patience(seconds)
    while not is_so():
        assert time.monotonic() < deadline, f"not within {patience(seconds):.0f} s"
        time.sleep(0.05)
