"""A readme as text: its sections, and in each the part that is generated."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

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

BEGIN = "<!-- generated -->"
END = "<!-- /generated -->"

_HEADING = re.compile(r"^#{1,6}\s+(?P<title>.+?)\s*#*$")
_BLOCK = re.compile(rf"{re.escape(BEGIN)}\n(?P<text>.*?)\n?{re.escape(END)}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Readme:
    """The text of a readme.

    >>> readme = Readme("# Boxes\\n\\n## Summary\\n\\nBoxes.\\n")
    >>> filled = readme.with_generated({"Data Model": "`boxes`"})
    >>> filled.generated("Data Model"), filled.written("Data Model"), filled.written("Summary")
    ('`boxes`', '', 'Boxes.')
    """

    text: str

    @classmethod
    def of(cls, module: str) -> Readme:
        """Return the readme of a module that has none yet: the headings alone."""
        title = module.replace("-", " ").replace("_", " ").capitalize()
        return cls("\n\n".join([f"# {title}", *(f"## {name}" for name in SECTIONS)]) + "\n")

    def generated(self, section: str) -> str | None:
        """Return what stands between the markers of a section; None where there are none."""
        found = _BLOCK.search(self._body(section))
        return found["text"] if found else None

    def written(self, section: str) -> str:
        """Return what a person wrote in a section."""
        return _BLOCK.sub("", self._body(section)).strip()

    def with_generated(self, parts: Mapping[str, str]) -> Readme:
        """Return the readme with these parts between the markers, and no others; missing sections are added."""
        text = self.text
        for name in SECTIONS:
            text = _replaced(text, name, parts.get(name, ""))
        return Readme(text)

    def _body(self, section: str) -> str:
        return "".join(self.text[start:end] for start, end in _spans(self.text, section))


def _replaced(text: str, section: str, part: str) -> str:
    block = f"{BEGIN}\n{part}\n{END}" if part else ""
    spans = list(_spans(text, section))
    if not spans:
        return f"{text.rstrip()}\n\n## {section}\n\n{block}".rstrip() + "\n" if part else text
    start, end = spans[0]
    body = text[start:end]
    if _BLOCK.search(body):
        body = _BLOCK.sub(lambda _: block, body, count=1)
    elif part:
        body = f"{body.rstrip()}\n\n{block}"
    body = body.strip("\n")
    following = text[end:]
    return f"{text[:start]}\n{body}\n" + (f"\n{following}" if following else "") if body else text


def _spans(text: str, section: str) -> Iterator[tuple[int, int]]:
    """Yield where the bodies of a section begin and end."""
    headings: list[tuple[int, int, str]] = []
    position = 0
    for line in text.splitlines(keepends=True):
        if found := _HEADING.match(line.rstrip("\n")):
            headings.append((position, position + len(line), _plain(found["title"])))
        position += len(line)
    for number, (_, start, title) in enumerate(headings):
        if title.startswith(_plain(section)):
            yield start, headings[number + 1][0] if number + 1 < len(headings) else len(text)


def _plain(title: str) -> str:
    return title.lower().replace(" and ", " & ")
