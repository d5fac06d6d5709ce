"""Each domain module says what it is, in the same eight sections, and what repeats the code is what the code says.

Someone who has to answer "what does this module store about a person, and who may read it" should not have to read its
code. With fixed sections the one that was not thought about is seen, because it is missing. Written by hand, six
readmes had 27 of 33 lines in common, and the others were true until the next column: tables, fields, routes and
permissions are generated between markers, and compared here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from tenantry.cli.check.domain import declares_module
from tenantry.cli.check.finding import Finding
from tenantry.cli.check.project import CheckedProject
from tenantry.cli.check.source import Source
from tenantry.cli.readme.sections import SECTIONS, Readme

NAME = "module-readme"

_WAY_OUT = f"run `tenantry readme`, and write what it cannot know; the sections are {', '.join(SECTIONS)}"


def check(project: CheckedProject) -> Iterator[Finding]:
    """Yield the modules without a readme, the sections that are missing or empty, and generated parts out of date."""
    declared = project.application.readmes if project.application else {}
    for folder, place in sorted(_modules(project).items()):
        file = folder / "docs" / "readme.md"
        if not file.is_file():
            yield Finding(NAME, place, f"the module {folder.name} has no docs/readme.md", _WAY_OUT)
            continue
        readme = Readme(file.read_text(encoding="utf-8"))
        for reason, way_out in _faults(readme, declared.get(folder.resolve())):
            yield Finding(NAME, f"{project.name_of(file)}:1", reason, way_out)


def _faults(readme: Readme, declared: Mapping[str, str] | None) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a readme; `declared` is what the code says, None where it is not known."""
    for name in SECTIONS:
        generated = readme.generated(name) or ""
        if declared is not None and generated != declared.get(name, ""):
            yield f"the generated part of {name!r} is not what the code says", "run `tenantry readme`"
        elif not generated and not readme.written(name):
            yield f"the section {name!r} is missing or empty", "write it; a sentence is enough"


def _modules(project: CheckedProject) -> Mapping[Path, str]:
    """Return the folders that declare a `Module`, and those of the application's modules, with a place for each."""
    found = {source.path.parent: source.place(1) for source in project.sources if _is_module(source)}
    for folder in project.application.folders if project.application else ():
        if project.holds(folder):
            found.setdefault(folder, f"{project.name_of(folder)}/__init__.py:1")
    return found


def _is_module(source: Source) -> bool:
    return source.file_name == "__init__.py" and declares_module(source)
