"""The proof on Planner, and what it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.proof.conftest import Prove
from typer.testing import CliRunner

from tenantry.cli.root import app
from tenantry.kernel import ConfigurationError
from tenantry.proof import Standing

ONLY = "GET /api/v1/items/{id}"


@pytest.mark.anyio
async def test_planner_is_isolated(proving: Prove) -> None:
    report = await proving(samples=5)
    assert report.is_proved, report.as_text()
    assert all(line.controls for line in report.lines if line.standing is Standing.PROVED)
    assert all(line.reason for line in report.lines if line.standing is Standing.SKIPPED)
    assert all(line.denied for line in report.lines if "{" in line.route)
    assert {"path", "nested path", "body", "query", "header X-Tenant-Id", "cursor"} <= report.places.keys()
    assert {"owner", "viewer", "anonymous", "former member", "API key of a member"} <= set(report.callers)


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
