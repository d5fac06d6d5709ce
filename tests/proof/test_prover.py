"""The proof on Planner, and what it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.proof.conftest import Prove
from typer.testing import CliRunner

from tenantry.cli.root import app
from tenantry.database import PlacementKind
from tenantry.kernel import ConfigurationError
from tenantry.proof import Report, RouteStanding
from tenantry.proof.judging import Statuses
from tenantry.tenancy import Role

ONLY = "GET /api/v1/items/{id}"


@pytest.fixture(scope="module", params=list(PlacementKind))
async def report(request: pytest.FixtureRequest, proving: Prove) -> Report:
    return await proving(samples=5, placement=request.param)


@pytest.mark.anyio
async def test_planner_is_isolated(report: Report) -> None:
    assert report.is_proved, report.as_text()
    assert all(one.controls for one in report.routes if one.standing is RouteStanding.PROVED)
    assert all(one.reason for one in report.routes if one.standing is RouteStanding.SKIPPED)
    attacked = [one for one in report.routes if "{" in one.route and one.standing is not RouteStanding.SKIPPED]
    assert all(one.denied for one in attacked)
    assert {"path", "nested path", "body", "query", "header X-Tenant-Id", "cursor"} <= report.places.keys()
    assert {"anonymous", "former member", "API key of a member", "API key of the owner"} <= set(report.callers)


@pytest.mark.anyio
async def test_every_route_of_a_tenant_is_attacked_in_every_role(report: Report) -> None:
    attacked = _of_tenants(report)
    assert len(attacked) > 70
    for route, answered in attacked.items():
        assert set(Role) <= {caller for caller, _, _ in answered}, route


@pytest.mark.anyio
async def test_what_is_foreign_is_refused_as_what_is_nowhere_and_in_no_other_way(report: Report) -> None:
    """The owner, who may do everything, meets exactly one refusal in each place; others may lack the permission too."""
    for route, answered in _of_tenants(report).items():
        for caller, place, status in answered:
            if caller in set(Role) and not place.startswith("query tenant_id, undeclared"):  # known or not, as the twin
                allowed = _allowed(route, place) | (set() if caller == Role.OWNER else {403})
                assert status in allowed, (route, caller, place, status)


@pytest.mark.anyio
async def test_subjects_of_every_kind_are_foreign(report: Report) -> None:
    places = {place for _, place, _ in report.statuses["POST /api/v1/items/{id}/grants"]}
    assert {f"body member subject_id of kind {kind}" for kind in SUBJECTS} <= places


SUBJECTS = ("user", "team", "role", "service_account", "api_key")


def _of_tenants(report: Report) -> dict[str, Statuses]:
    """Return what was answered on the routes that act in a tenant: those to which a header names another one."""
    found = report.statuses.items()
    return {route: answers for route, answers in found if any(place.startswith("header") for _, place, _ in answers)}


def _allowed(route: str, place: str) -> set[int]:
    match place.partition(" ")[0]:
        case "path" | "nested":
            return {404}
        case "body" | "bulk":
            return {422}
        case "header":
            return {400, 403}
        case _ if "/access/" in route:  # questions about one record or person, and a position in the answer
            return {200, 400 if place == "query after" else 404}
        case _:
            return {200}


def test_the_command_writes_json_and_a_report_for_others(tmp_path: Path) -> None:
    path = tmp_path / "isolation.md"
    asked = ["prove", "isolation", "--only", ONLY, "--samples", "5", "--json", "--output", str(path)]
    ended = CliRunner().invoke(app, asked)
    told = json.loads(ended.stdout)
    assert (ended.exit_code, told["proved"]) == (0, True)
    assert told["routes"]
    assert all(ONLY in one["route"] for one in told["routes"])
    written = path.read_text()
    assert "Isolation is proved" in written
    assert f"PostgreSQL {told['postgresql']}" in written


def test_a_part_of_no_route_is_refused() -> None:
    ended = CliRunner().invoke(app, ["prove", "isolation", "--only", "no such route"])
    assert isinstance(ended.exception, ConfigurationError)
