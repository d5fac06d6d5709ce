"""Planner as it is shipped: started by its own command, signed in through its own API."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from benchmarks.servers import TENANTRY, Server, ask, free_port, running, status_of

DATABASE = "tenantry"
ITEMS_PATH = "/api/v1/items"

_OWNER = "owner@acme.test"
_PASSWORD = "tenantry-demo"
_JSON = {"Content-Type": "application/json"}
_TOKEN_AGE = 240.0
"""Seconds after which a new access token is asked for; they live 600."""


@contextmanager
def planner(data_dir: Path, log: Path, *, command: str = "serve") -> Iterator[Server]:
    """Run Planner on the embedded server of `data_dir`; returns when the API answers.

    `dev` migrates and seeds, and runs the worker beside the web server; `serve` is the web server alone.
    """
    port = free_port()
    variables = {
        "TENANTRY_DATA_DIR": str(data_dir),
        "TENANTRY_ENVIRONMENT": "development",
        "TENANTRY_LOG_FORMAT": "json",  # as in production
    }
    arguments: list[str | Path] = [TENANTRY, command, "--host", "127.0.0.1", "--port", str(port)]
    with running(f"tenantry {command}", arguments, port=port, log=log, environment=variables) as server:
        server.wait(lambda: status_of(port, ITEMS_PATH) == 401)
        yield server


class Session:
    """The headers of a signed-in person in a tenant, an owner unless told; the token is renewed before it expires."""

    def __init__(self, server: Server, slug: str, email: str = _OWNER) -> None:
        self._server = server
        self._email = email
        self._tenant = {"X-Tenant-Slug": slug}
        self._signed_in_at = 0.0
        self._token = ""
        self.tenant_id = UUID(int=0)
        self.tenant_id = self._find_tenant(slug)
        self._tenant = {"X-Tenant-Id": str(self.tenant_id)}

    @property
    def headers(self) -> Mapping[str, str]:
        """What every request carries."""
        if time.monotonic() - self._signed_in_at > _TOKEN_AGE or not self._token:
            self._token = self._sign_in()
            self._signed_in_at = time.monotonic()
        return {"Authorization": f"Bearer {self._token}", **self._tenant, **_JSON}

    def _sign_in(self) -> str:
        path = "/api/v1/auth/login"
        credentials = {"email": self._email, "password": _PASSWORD}
        status, body = ask(self._server.port, path, headers=_JSON, method="POST", body=json.dumps(credentials))
        if status != 200:
            raise RuntimeError(f"{self._email} could not sign in: {status} {body.decode()}")
        token: str = json.loads(body)["access_token"]
        return token

    def _find_tenant(self, slug: str) -> UUID:
        status, body = ask(self._server.port, "/api/v1/tenant", headers=self.headers)
        if status != 200:
            raise RuntimeError(f"The tenant {slug} does not answer: {status} {body.decode()}")
        return UUID(json.loads(body)["id"])
