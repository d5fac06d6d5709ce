"""The map of the code names only what exists, and stays one screen or two.

A map that is wrong in one place is not believed in the others, and every rename makes an unchecked one wrong. Compared
with the tree at each commit it stays true, and with a limit it stays a map.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tenantry.cli.check.finding import Finding
from tenantry.cli.check.project import CheckedProject

NAME = "map"

_NAMED = re.compile(r"`(?P<code>[^`\s]+)`|\]\((?P<link>[^)#\s]+)[^)]*\)|^\s*(?P<line>[\w./-]+/[\w./-]*)")
_ENDINGS = {".py", ".md", ".toml", ".sql", ".yml", ".yaml", ".json", ".ini", ".cfg", ".lock", ".txt", ".sh"}
_NOT_A_PATH = re.compile(r"[{}<>*…$:,;()=\[\]|]|^[/~@-]|^https?:")


def check(project: CheckedProject) -> Iterator[Finding]:
    """Yield the names of files and folders that do not exist, and a map that is missing or too long."""
    if not project.map_file:
        return
    file = project.root / project.map_file
    if not file.is_file():
        way_out = f'write {project.map_file}, or say map = "" in [tool.tenantry.check]'
        yield Finding(NAME, f"{project.map_file}:1", "there is no map of the code", way_out)
        return
    lines = file.read_text(encoding="utf-8").splitlines()
    if len(lines) > project.sizes.map:
        reason = f"the map has {len(lines)} lines, the limit is {project.sizes.map}"
        yield Finding(NAME, f"{project.map_file}:1", reason, "leave out what the code itself says")
    for number, line in enumerate(lines, 1):
        for name in _paths(line):
            if not _exists(project, name):
                reason = f"{name} does not exist"
                yield Finding(NAME, f"{project.map_file}:{number}", reason, "name where it is now, or leave it out")


def _paths(line: str) -> Iterator[str]:
    for found in _NAMED.finditer(line):
        name = next(group for group in found.groups() if group)
        is_link = found["link"] is not None
        if not _NOT_A_PATH.search(name) and (is_link or name.endswith("/") or Path(name).suffix in _ENDINGS):
            yield name


def _exists(project: CheckedProject, name: str) -> bool:
    """Look from the root, from beside the packages and from inside them; a bare file name may be anywhere."""
    bases = [project.root, *(folder.parent for folder in project.packages), *project.packages]
    if any((base / name).exists() for base in bases):
        return True
    return "/" not in name and any(source.file_name == name for source in (*project.sources, *project.test_sources))
