"""`tenantry check` as scripts see it: what it prints and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.check.conftest import write
from typer.testing import CliRunner

from tenantry.cli.root import app

FILES = {"pyproject.toml": "", "shop/__init__.py": "", "ARCHITECTURE.md": "`shop/`\n"}


def test_nothing_found_ends_with_0(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    result = CliRunner().invoke(app, ["check", str(tmp_path)])
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "Nothing found by 13 rules.")


def test_a_finding_ends_with_1_and_is_printed_for_people_and_machines(tmp_path: Path) -> None:
    write(tmp_path, FILES | {"shop/prices.py": "import time\nx = time.time()\n"})
    result = CliRunner().invoke(app, ["check", str(tmp_path)])
    assert result.exit_code == 1
    assert result.stdout.startswith("shop/prices.py:2  direct-clock\n    reason ")
    report = json.loads(CliRunner().invoke(app, ["check", str(tmp_path), "--rule", "direct-clock", "--json"]).stdout)
    assert (report["rules"], len(report["findings"]), report["left_out"]) == (1, 1, [])


def test_why_tells_the_incident_and_checks_nothing(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["check", str(tmp_path), "--why", "dependency-scope"])
    assert result.exit_code == 0
    assert "after* the 201 was sent" in result.stdout
