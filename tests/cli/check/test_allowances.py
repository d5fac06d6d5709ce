"""Exceptions need a reason and something to except."""

from __future__ import annotations

import pytest
from tests.cli.check.conftest import Plant

from tenantry.cli.check import run_checks

RULE = "direct-clock"
CLOCK = "import time\nx = time.time()"


def _found(plant: Plant, code: str, settings: str = "") -> list[tuple[str, str]]:
    project = plant({"shop/prices.py": code + "\n", "pyproject.toml": settings})
    return [(finding.rule, finding.place) for finding in run_checks(project, only=[RULE])]


@pytest.mark.parametrize("dash", ["-", "\N{EN DASH}", "\N{EM DASH}"])
def test_a_line_is_allowed_with_a_reason(plant: Plant, dash: str) -> None:
    assert _found(plant, f"{CLOCK}  # allow: direct-clock {dash} the time of a log line") == []


def test_a_comment_alone_stands_for_the_line_below(plant: Plant) -> None:
    assert _found(plant, "import time\n# allow: direct-clock - a log line\n# and more words\nx = time.time()") == []


def test_a_reason_beside_another_comment_counts(plant: Plant) -> None:
    assert _found(plant, f"{CLOCK}  # noqa: X1 - other  # allow: direct-clock - a log line") == []


@pytest.mark.parametrize(
    "comment", ["# allow: direct-clock", "# allow: direct-clock -", "# allow: direct-clock because"]
)
def test_without_a_reason_nothing_is_allowed(plant: Plant, comment: str) -> None:
    found = _found(plant, f"{CLOCK}  {comment}")
    assert found == [("allowance", "shop/prices.py:2"), (RULE, "shop/prices.py:2")]


def test_an_allowance_for_another_line_or_rule_does_not_count(plant: Plant) -> None:
    above = _found(plant, "import time  # allow: direct-clock - the wrong line\nx = time.time()")
    assert above == [("allowance", "shop/prices.py:1"), (RULE, "shop/prices.py:2")]
    assert (RULE, "shop/prices.py:2") in _found(plant, f"{CLOCK}  # allow: string-sql - the wrong rule")


def test_an_allowance_that_allows_nothing_is_found(plant: Plant) -> None:
    assert _found(plant, "x = 1  # allow: direct-clock - nothing here") == [("allowance", "shop/prices.py:1")]


def test_an_allowance_of_a_rule_that_was_not_applied_is_left_alone(plant: Plant) -> None:
    assert _found(plant, "x = 1  # allow: string-sql - not asked now") == []


def test_a_misspelled_rule_gets_a_suggestion(plant: Plant) -> None:
    project = plant({"shop/prices.py": "x = 1  # allow: direct-clok - a slip\n"})
    [finding] = run_checks(project, only=[RULE])
    assert "did you mean 'direct-clock'" in finding.reason


def test_a_text_that_reads_like_an_allowance_is_none(plant: Plant) -> None:
    assert _found(plant, f'{CLOCK}; y = "# allow: direct-clock - a text"') == [(RULE, "shop/prices.py:2")]


EXEMPT = '[[tool.tenantry.check.exempt]]\nrule = "{rule}"\npath = "{path}"\nreason = "the one clock of the shop"\n'


def test_a_file_is_exempt_by_the_settings(plant: Plant) -> None:
    assert _found(plant, CLOCK, EXEMPT.format(rule=RULE, path="shop/prices.py")) == []
    assert _found(plant, CLOCK, EXEMPT.format(rule=RULE, path="shop/*")) == []


def test_an_exemption_that_exempts_nothing_is_found_at_its_line(plant: Plant) -> None:
    assert _found(plant, "x = 1", EXEMPT.format(rule=RULE, path="shop/gone.py")) == [("allowance", "pyproject.toml:3")]


def test_an_exemption_from_an_unknown_rule_is_found(plant: Plant) -> None:
    found = _found(plant, CLOCK, EXEMPT.format(rule="direct-clocks", path="shop/prices.py"))
    assert found == [("allowance", "pyproject.toml:3"), (RULE, "shop/prices.py:2")]
