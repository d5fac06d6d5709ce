"""The rules of a domain know no HTTP.

The same service runs behind a route, in a job, in a command and in a test. One that raises `HTTPException` or reads a
`Request` works in the first of them only: a job can neither build a request nor translate the exception, and the body
of an `HTTPException` is no problem document. Errors are `TenantryError`s, which each edge translates once.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tenantry.cli.check.finding import Finding
from tenantry.cli.check.project import Project
from tenantry.cli.check.source import Source

NAME = "service-knows-web"

_WITHOUT_WEB = {"service.py", "repository.py", "models.py", "workflow.py", "jobs.py", "subscribers.py"}
_WEB = ("fastapi", "starlette")


def check(project: Project) -> Iterator[Finding]:
    """Yield the imports of FastAPI and Starlette in the files that also run without a request."""
    for source in project.sources:
        if source.file_name in _WITHOUT_WEB:
            for line, name in _imports(source):
                if name.split(".")[0] in _WEB:
                    yield Finding(
                        NAME,
                        source.place(line),
                        f"{source.file_name} imports {name}, so it cannot run in a job or a command",
                        "raise a TenantryError, take plain values, and leave requests and responses to router.py",
                    )


def _imports(source: Source) -> Iterator[tuple[int, str]]:
    for node in source.nodes:
        if isinstance(node, ast.Import):
            yield from ((node.lineno, one.name) for one in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.lineno, node.module or ""
