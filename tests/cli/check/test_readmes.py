"""The readmes of modules: what a person wrote stays, what repeats the code is kept true, and both are asked for."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pytest
from tests.cli.check.conftest import Plant, places

from tenantry.cli.check import Finding, run_checks
from tenantry.cli.check.assembled import Assembled
from tenantry.cli.readme.sections import BEGIN, END, SECTIONS, Readme

PARTS = {"Data Model": "`orders`", "API Endpoints": "| GET |\n|---|"}
HEADINGS = (
    "Summary", "Data Model (primary tables)", "Schemas and Validation", "API Endpoints", "Workflows & Business Logic",
    "Integrations", "Security & Compliance", "Testing & Monitoring",
)  # fmt: skip


def _text(headings: tuple[str, ...] = HEADINGS, body: str = "Something.") -> str:
    return "# Orders\n\n" + "\n\n".join(f"## {heading}\n\n{body}" for heading in headings) + "\n"


class TestWriting:
    def test_a_new_readme_has_the_headings_and_the_generated_parts(self) -> None:
        readme = Readme.of("api-keys").with_generated(PARTS)
        assert readme.text.startswith("# Api keys\n\n## Summary\n\n## Data Model\n\n<!-- generated -->\n`orders`\n")
        assert [line[3:] for line in readme.text.splitlines() if line.startswith("## ")] == list(SECTIONS)

    def test_what_a_person_wrote_stays(self) -> None:
        block = f"{BEGIN}\nold\n{END}"
        before = _text(body=f"Before.\n\n{block}\n\nBehind.")
        after = Readme(before).with_generated(dict.fromkeys(SECTIONS, "new"))
        assert after.text == before.replace("old", "new")
        assert (after.generated("Data Model"), after.written("Data Model")) == ("new", "Before.\n\n\n\nBehind.")

    def test_a_part_is_added_behind_what_is_written(self) -> None:
        after = Readme(_text()).with_generated(PARTS)
        assert "## Data Model (primary tables)\n\nSomething.\n\n<!-- generated -->\n`orders`\n" in after.text
        assert after.written("Data Model") == "Something."

    def test_to_write_twice_changes_nothing(self) -> None:
        once = Readme(_text()).with_generated(PARTS)
        assert once.with_generated(PARTS) == once

    def test_a_part_that_the_code_does_not_have_any_more_is_taken_away(self) -> None:
        assert Readme(_text()).with_generated(PARTS).with_generated({}).text == _text()

    def test_a_missing_section_is_added_where_the_code_says_something(self) -> None:
        after = Readme("# Orders\n\n## Summary\n\nOrders.\n").with_generated(PARTS)
        assert (after.generated("API Endpoints"), after.written("Summary")) == (PARTS["API Endpoints"], "Orders.")
        assert "Integrations" not in after.text

    def test_text_with_backslashes_is_kept_as_it_is(self) -> None:
        part = {"Data Model": r"like `\d+\1`"}
        assert (
            Readme(_text()).with_generated({"Data Model": "x"}).with_generated(part).generated("Data Model")
            == (part["Data Model"])
        )


def _readme(text: str) -> Mapping[str, str]:
    return {"shop/orders/__init__.py": "module = Module('orders')\n", "shop/orders/docs/readme.md": text}


def _found(plant: Plant, text: str, parts: Mapping[str, str] | None) -> list[Finding]:
    """Apply the rule; with `parts`, to an application whose module says this of itself."""
    project = plant(_readme(text))
    if parts is not None:
        folder = (project.root / "shop" / "orders").resolve()
        assembled = Assembled(place="shop/app.py:1", folders=[folder], readmes={folder: parts})
        project = dataclasses.replace(project, application=assembled)
    return run_checks(project, only=["module-readme"])


class TestTheRule:
    def test_a_module_without_a_readme_is_found(self, plant: Plant) -> None:
        project = plant({"shop/orders/__init__.py": "module = Module('orders')\n"})
        assert places(project, "module-readme") == ["shop/orders/__init__.py:1"]

    @pytest.mark.parametrize("parts", [None, {}])
    def test_a_readme_with_the_eight_sections_is_complete(self, plant: Plant, parts: Mapping[str, str] | None) -> None:
        assert _found(plant, _text(), parts) == []

    def test_a_missing_section_is_named(self, plant: Plant) -> None:
        [finding] = _found(plant, _text(HEADINGS[:6] + HEADINGS[7:]), None)
        assert "'Security & Compliance'" in finding.reason

    @pytest.mark.parametrize("parts", [None, {}])
    def test_a_heading_without_text_is_no_section(self, plant: Plant, parts: Mapping[str, str] | None) -> None:
        assert len(_found(plant, _text(body=""), parts)) == 8

    def test_a_generated_part_is_enough_where_there_is_one(self, plant: Plant) -> None:
        text = Readme(_text(body="")).with_generated(PARTS).text
        missing = [name for name in SECTIONS if name not in PARTS]
        assert sorted(finding.reason for finding in _found(plant, text, PARTS)) == sorted(
            f"the section {name!r} is missing or empty" for name in missing
        )

    def test_a_part_that_is_not_what_the_code_says_is_found(self, plant: Plant) -> None:
        text = Readme(_text()).with_generated(PARTS).text
        [finding] = _found(plant, text, PARTS | {"Data Model": "`orders`, `lines`"})
        assert "'Data Model'" in finding.reason
        assert "tenantry readme" in finding.way_out

    def test_a_part_that_was_not_generated_yet_is_found(self, plant: Plant) -> None:
        assert len(_found(plant, _text(), PARTS)) == 2

    def test_a_part_that_the_code_knows_nothing_of_is_found(self, plant: Plant) -> None:
        assert len(_found(plant, Readme(_text()).with_generated(PARTS).text, {})) == 2

    def test_without_the_application_a_part_is_taken_as_it_is(self, plant: Plant) -> None:
        assert _found(plant, Readme(_text()).with_generated(PARTS).text, None) == []
