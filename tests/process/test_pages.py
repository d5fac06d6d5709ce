"""What the pages say is what happens: the README's tour is run, the excerpts and the settings are those of the code."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from tests.process.running import TENANTRY, Commands, Running

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
EXPECTED = "#=>"


def section(page: str, title: str) -> str:
    """Return the part of a page under a heading."""
    return page.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def squeezed(code: str) -> str:
    """Return code without the spaces and commas that depend on where its lines break."""
    return re.sub(r",?\s+|,(?=[)\]}])|,$", "", code)


def tour() -> list[tuple[str, str]]:
    """Return each line of the tour with what it shall show ('' for nothing)."""
    lines = [line for block in blocks(section(README, "Five minutes"), "bash") for line in block.splitlines() if line]
    return [(line.split(EXPECTED)[0].strip(), line.partition(EXPECTED)[2].strip()) for line in lines]


@pytest.fixture(scope="module")
def shown(demo: Running, commands_of_demo: Commands) -> list[str]:
    """What each line of the tour showed, run by one shell in the directory of the demo."""
    marked = "".join(f"{command}\nprintf '\\n<<next>>\\n'\n" for command, _ in tour())
    script = "set -euo pipefail\n" + marked.replace("127.0.0.1:8000", demo.address).replace(
        ".venv/bin/tenantry",
        str(TENANTRY),
    )
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=commands_of_demo.directory,
        env=commands_of_demo.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout[-500:]
    return done.stdout.split("<<next>>")


class TestReadme:
    @pytest.mark.parametrize("number", range(len(tour())))
    def test_each_line_of_the_tour_shows_what_the_page_says(self, shown: list[str], number: int) -> None:
        command, expected = tour()[number]
        assert expected in shown[number], command

    def test_the_tour_shows_something_for_most_of_its_lines(self) -> None:
        assert len([expected for _, expected in tour() if expected]) >= 12

    def test_the_smallest_module_is_excerpted_as_it_is(self) -> None:
        excerpt = "".join(blocks(section(README, "The smallest module"), "python"))
        source = squeezed("".join(path.read_text() for path in (ROOT / "src" / "planner" / "items").glob("*.py")))
        lines = [squeezed(line.partition("  # ")[0]) for line in excerpt.splitlines()]
        left_out = [line for line in lines if "…" in line]
        assert [line for line in lines if line not in source and line not in left_out] == []
        assert (len(left_out), len(lines) > 30) == (1, True)

    def test_every_command_of_the_table_exists(self, commands: Commands) -> None:
        text = commands.run("--help").out
        named = set(re.findall(r"(?:`tenantry |, `)(\w+)", section(README, "Commands")))
        assert {name for name in named if f"  {name} " not in text} == set()
        assert len(named) >= 12

    def test_every_link_leads_to_a_file(self) -> None:
        pages = {ROOT / "README.md", ROOT / "docs" / "operations.md", ROOT / "docs" / "settings.md"}
        links = {(page, link) for page in pages for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text())}
        assert {link for page, link in links if not (page.parent / link).exists()} == set()


def test_the_settings_page_is_the_one_that_the_code_writes(commands: Commands) -> None:
    written = commands.run("settings", "--markdown").out
    assert (ROOT / "docs" / "settings.md").read_text() == written, (
        "run: tenantry settings --markdown > docs/settings.md"
    )
