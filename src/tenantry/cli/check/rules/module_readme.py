"""Each domain module says what it is, in the same eight sections.

Someone who has to answer "what does this module store about a person, and who may read it" should not have to read its
code. With fixed sections the one that was not thought about is seen, because it is missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tenantry.cli.check.finding import Finding
from tenantry.cli.check.project import Project
from tenantry.cli.check.source import Source, last_name

NAME = "module-readme"

SECTIONS = (
    "Summary",
    "Data Model",
    "Schemas & Validation",
    "API Endpoints",
    "Workflows & Business Logic",
    "Integrations",
    "Security & Compliance",
    "Testing & Monitoring",
)
"""The headings, in any order and at any level; more words may follow: ``## Data Model (primary tables)``."""

_HEADING = re.compile(r"^#{1,6}\s+(?P<title>.+?)\s*#*$")
_WAY_OUT = f"write its docs/readme.md with the sections {', '.join(SECTIONS)}"


def check(project: Project) -> Iterator[Finding]:
    """Yield the modules without a readme, and the sections that are missing or empty."""
    for folder, place in sorted(_modules(project).items()):
        readme = folder / "docs" / "readme.md"
        if not readme.is_file():
            yield Finding(NAME, place, f"the module {folder.name} has no docs/readme.md", _WAY_OUT)
            continue
        sections = _sections(readme.read_text(encoding="utf-8"))
        for name in SECTIONS:
            if not any(title.startswith(_plain(name)) and body for title, body in sections.items()):
                reason = f"the section {name!r} is missing or empty"
                yield Finding(NAME, f"{project.name_of(readme)}:1", reason, "write it; a sentence is enough")


def _modules(project: Project) -> Mapping[Path, str]:
    """Return the folders that declare a `Module`, and those of the application's modules, with a place for each."""
    found = {source.path.parent: source.place(1) for source in project.sources if _declares_module(source)}
    for folder in project.application.folders if project.application else ():
        if project.holds(folder):
            found.setdefault(folder, f"{project.name_of(folder)}/__init__.py:1")
    return found


def _declares_module(source: Source) -> bool:
    return source.file_name == "__init__.py" and any(last_name(call.func) == "Module" for call in source.calls())


def _sections(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    title = ""
    for line in text.splitlines():
        if heading := _HEADING.match(line):
            title = _plain(heading["title"])
            found.setdefault(title, "")
        elif title:
            found[title] += line.strip()
    return found


def _plain(title: str) -> str:
    return title.lower().replace(" and ", " & ")
