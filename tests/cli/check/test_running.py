"""Which rules run, what is said about the others, and how the report reads."""

from __future__ import annotations

import json

import pytest
from tests.cli.check.conftest import Plant

from tenantry.cli.check import RULES, explain, left_out, render, render_json, run_checks
from tenantry.kernel import ConfigurationError

FAULTS = {"shop/b.py": "def f(s):\n    s.commit()\n    import json\n", "shop/a.py": "import time\nx = time.time()\n"}


def test_all_rules_run_and_findings_come_in_the_order_of_the_code(plant: Plant) -> None:
    findings = run_checks(plant(FAULTS))
    assert [(one.place, one.rule) for one in findings] == [
        ("ARCHITECTURE.md:1", "map"),
        ("shop/a.py:2", "direct-clock"),
        ("shop/b.py:2", "commit-outside-unit-of-work"),
        ("shop/b.py:3", "import-in-function"),
    ]


def test_every_finding_says_why_and_how_out(plant: Plant) -> None:
    findings = run_checks(plant(FAULTS))
    assert findings
    for finding in findings:
        assert finding.reason
        assert finding.way_out


def test_without_an_application_the_rules_about_it_are_named(plant: Plant) -> None:
    project = plant({})
    assert left_out(project) == ["tenant-table", "control-table", "unbounded-string", "route-rule", "permission-map"]
    assert "Left out, because no application is named: tenant-table" in render(
        [], applied=1, left_out=left_out(project)
    )
    with pytest.raises(ConfigurationError, match="route-rule can be applied to an application only"):
        run_checks(project, only=["route-rule"])


def test_an_unknown_rule_is_refused(plant: Plant) -> None:
    with pytest.raises(ConfigurationError, match="no rule 'clock'"):
        run_checks(plant({}), only=["clock"])


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_tells_what_it_prevents(rule: str) -> None:
    title, _, incident = explain(rule).partition("\n\n")
    assert title
    assert len(incident) > 80


def test_the_machine_reads_the_same_findings(plant: Plant) -> None:
    findings = run_checks(plant(FAULTS), only=["direct-clock"])
    report = json.loads(render_json(findings, applied=1))
    assert [(one["rule"], one["place"]) for one in report["findings"]] == [("direct-clock", "shop/a.py:2")]
    assert set(report["findings"][0]) == {"rule", "place", "reason", "way_out"}


def test_settings_that_are_wrong_are_refused_by_name(plant: Plant) -> None:
    with pytest.raises(ConfigurationError, match="exemt: Extra inputs"):
        plant({"pyproject.toml": "[tool.tenantry.check]\nexemt = []\n"})
    with pytest.raises(ConfigurationError, match=r"exempt\.0\.reason"):
        plant({"pyproject.toml": '[[tool.tenantry.check.exempt]]\nrule = "map"\npath = "x"\nreason = ""\n'})
    with pytest.raises(ConfigurationError, match="packages that do not exist: stor"):
        plant({"pyproject.toml": '[tool.tenantry.check]\npackages = ["stor"]\n'})


def test_limits_are_settings(plant: Plant) -> None:
    settings = "[tool.tenantry.check.sizes]\nfile = 2\n"
    project = plant({"pyproject.toml": settings, "shop/long.py": "x = 1\n" * 3})
    assert [one.place for one in run_checks(project, only=["size-budget"])] == ["shop/long.py:1"]


def test_files_that_nobody_named_are_not_read(plant: Plant) -> None:
    assert run_checks(plant({"scripts/once.py": "import time\ntime.time()\n"}), only=["direct-clock"]) == []
