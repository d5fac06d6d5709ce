"""A secret in the settings is a `SecretStr`.

Settings are printed: in a traceback with local variables, in a debug log line, in the answer of a forgotten endpoint.
A `str` shows its value in each of them; a `SecretStr` shows asterisks until somebody asks for the value by name.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tenantry.cli.check.finding import Finding
from tenantry.cli.check.project import CheckedProject
from tenantry.cli.check.source import Source, last_name

NAME = "secret-type"

_SECRET = re.compile(r"secret|password|token|(?:^|_)(?:api)?keys?(?:_|$)")
_SAFE = {"SecretStr", "SecretBytes"}
_OPEN = {"str", "bytes"}


def check(project: CheckedProject) -> Iterator[Finding]:
    """Yield the fields of classes in `settings.py` that are named like a secret and typed like a text."""
    for source in project.sources:
        if source.file_name == "settings.py":
            for field, name in _fields(source):
                if _SECRET.search(name) and _is_open(field.annotation):
                    yield Finding(
                        NAME,
                        source.place(field),
                        f"{name} is a plain text, which logs and tracebacks show",
                        "type it SecretStr, and ask for get_secret_value() where it is used",
                    )


def _fields(source: Source) -> Iterator[tuple[ast.AnnAssign, str]]:
    for owner in source.nodes:
        for field in owner.body if isinstance(owner, ast.ClassDef) else ():
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                yield field, field.target.id


def _is_open(annotation: ast.expr) -> bool:
    names = {last_name(node) for node in ast.walk(annotation)}
    return bool(names & _OPEN) and not names & _SAFE
