"""What operators see of a running process: metrics, access lines, application lines, and never a secret."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from httpx2 import Response
from tests.process.conftest import Installation
from tests.process.running import Commands, Running, eventually

ADDRESS, PASSWORD = "olga@observed.test", "a password that must not be logged"


@dataclass
class Observed:
    """A production server, an owner who worked with it, and what it told."""

    server: Running
    tokens: dict[str, str]
    made: Response
    tenant_id: str

    def lines(self, **members: Any) -> list[dict[str, Any]]:
        """Return the log lines that have these members."""
        lines = [json.loads(line) for line in self.server.err.splitlines()]
        return [line for line in lines if members.items() <= line.items()]

    def metrics(self) -> str:
        return self.server.client.get(f"http://{self.server.address}/metrics").text


@pytest.fixture(scope="module")
def observed(installation: Installation, place_of_module: Commands) -> Iterator[Observed]:
    production = place_of_module.with_(**installation.settings)
    assert production.run("user", "create", ADDRESS, stdin=PASSWORD + "\n").code == 0
    made = production.run("tenant", "create", "Observed", "observed", "--owner", ADDRESS, "--json")
    with production.start("serve") as server:
        server.ready()
        login = {"email": ADDRESS, "password": PASSWORD}
        first = server.call("POST", "/auth/login", json=login).json()
        second = server.call("POST", "/auth/refresh", json={"refresh_token": first["refresh_token"]}).json()
        server.call("POST", "/auth/login", json={**login, "password": PASSWORD + "!"})
        server.call("POST", "/auth/register", json={"email": "new@observed.test", "password": PASSWORD, "name": "New"})
        headers = {"Authorization": f"Bearer {second['access_token']}", "X-Tenant-Slug": "observed"}
        item = server.call(
            "POST", "/items", json={"name": "Desk", "price_cents": 1}, headers={**headers, "X-Request-Id": "seen-1"}
        )
        server.call("GET", f"/items/{item.json()['id']}", headers={**headers, "X-Request-Id": "seen-2"})
        server.call("GET", f"/nothing?token={second['access_token']}", headers={"X-Request-Id": "seen-3"})
        tokens = {f"{number}.{name}": pair[name] for number, pair in enumerate((first, second)) for name in pair}
        watched = Observed(server, tokens, item, json.loads(made.out)[0]["id"])
        eventually(lambda: "seen-3" in server.err)
        yield watched
        assert server.end() == 0


@pytest.fixture(scope="module")
def place_of_module(commands_of_demo: Commands) -> Commands:
    folder = commands_of_demo.directory / "observed"
    folder.mkdir()
    return Commands(folder, {})


class TestLogs:
    def test_production_writes_json_and_an_access_line_names_request_tenant_and_actor(self, observed: Observed) -> None:
        (line,) = observed.lines(request_id="seen-1")
        assert observed.made.headers["x-request-id"] == "seen-1"
        assert (line["event"], line["method"], line["status"]) == ("request", "POST", 201)
        assert line["tenant_id"] == observed.tenant_id
        assert re.fullmatch(r"[0-9a-f-]{36}", line["actor_id"])
        assert line["duration_ms"] > 0

    def test_an_access_line_names_the_route_and_not_the_ids_that_it_was_asked_for(self, observed: Observed) -> None:
        (line,) = observed.lines(request_id="seen-2")
        assert line["path"] == "/api/v1/items/{id}"

    def test_a_line_of_the_application_names_the_request_that_it_belongs_to(self, observed: Observed) -> None:
        (mail,) = observed.lines(event="mail not sent: no mailer is configured")
        (access,) = observed.lines(path="/api/v1/auth/register")
        assert mail["request_id"] == access["request_id"]

    def test_no_secret_is_in_any_line(self, observed: Observed) -> None:
        told = observed.server.err + observed.server.out
        secrets = {"password": PASSWORD, "key": observed.server.commands.settings["TENANTRY_IDENTITY_SECRET"]}
        secrets |= {name: value for name, value in observed.tokens.items() if name.endswith("_token")}
        assert len(secrets) == 6
        assert {name for name, value in secrets.items() if value in told or value.rpartition(".")[2] in told} == set()


class TestMetrics:
    def test_requests_are_counted_and_timed_by_route_and_status(self, observed: Observed) -> None:
        text = observed.metrics()
        route = 'method="GET",route="/api/v1/items/{id}",status="200"'
        assert f"tenantry_http_requests_total{{{route}}} 1.0" in text
        assert f'tenantry_http_request_seconds_bucket{{le="10.0",{route}}} 1.0' in text
        assert str(observed.made.json()["id"]) not in text
        assert "/nothing" not in text

    def test_each_pool_shows_its_connections(self, observed: Observed) -> None:
        values = dict(re.findall(r"^(tenantry_pool_\w+) (\S+)$", observed.metrics(), re.MULTILINE))
        pools = ("app", "control", "platform")
        assert set(values) == {f"tenantry_pool_{pool}_connections{idle}" for pool in pools for idle in ("", "_idle")}
        assert float(values["tenantry_pool_app_connections"]) >= 1
        assert values["tenantry_pool_app_connections"] == values["tenantry_pool_app_connections_idle"]


def test_in_development_the_log_shows_the_mails_and_their_links_work(demo: Running) -> None:
    person = {"email": "vera@console.test", "password": "a long password"}
    assert demo.call("POST", "/auth/register", json={**person, "name": "Vera"}).status_code == 201

    def token_of(path: str) -> str:
        mails = [line for line in demo.err.splitlines() if person["email"] in line and path in line.lower()]
        return re.findall(r"[A-Za-z0-9_.-]{40,}", mails[-1])[-1] if mails else ""

    eventually(lambda: token_of("confirm") != "")
    assert demo.call("POST", "/auth/verify-email", json={"token": token_of("confirm")}).status_code == 204
    assert demo.call("POST", "/auth/password-reset", json={"email": person["email"]}).status_code == 202
    eventually(lambda: token_of("password") != "")
    changed = {"token": token_of("password"), "password": "another long password"}
    assert demo.call("POST", "/auth/password-reset/confirm", json=changed).status_code == 204
    assert demo.call("POST", "/auth/login", json={**person, "password": "another long password"}).status_code == 200
