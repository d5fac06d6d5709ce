"""The rules of a domain know no HTTP.

The same service runs behind a route, in a job, in a command and in a test. One that raises `HTTPException` or reads a
`Request` works in the first of them only: a job can neither build a request nor translate the exception, and the body
of an `HTTPException` is no problem document. Errors are `TenantryError`s, which each edge translates once.

Six services imported one function and one error from `tenantry.http`, because a version came as `If-Match`. Beside it
stood status codes, header names and response styles, and a second text for the same refusal.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tenantry.cli.check.domain import domain_sources
from tenantry.cli.check.finding import Finding
from tenantry.cli.check.names import absolute
from tenantry.cli.check.project import CheckedProject
from tenantry.cli.check.source import Source

NAME = "service-knows-web"

_WITHOUT_WEB = {"service.py", "repository.py", "models.py", "workflow.py", "jobs.py", "subscribers.py"}
_EDGE = {"router.py", "schemas.py", "dependencies.py", "__init__.py"}
"""Files of a module that are there for HTTP, and the surface that shows them."""
_WEB = ("fastapi", "starlette", "tenantry.http")


def check(project: CheckedProject) -> Iterator[Finding]:
    """Yield the imports of FastAPI, Starlette and `tenantry.http` in the files that also run without a request.

    These are known by their name, or by the repository that they ask: a service may be called after what it does.
    """
    named = [source for source in project.sources if source.file_name in _WITHOUT_WEB]
    asking = [source for source in domain_sources(project) if source.file_name not in _EDGE and _asks_rows(source)]
    for source in {one.name: one for one in (*named, *asking)}.values():
        for line, name in _web_imports(source):
            yield Finding(
                NAME,
                source.place(line),
                f"{source.file_name} imports {name}, so it cannot run in a job or a command",
                "raise a TenantryError, take plain values (what services share with HTTP is in tenantry.kernel), and "
                "leave requests, headers and responses to router.py",
            )


def _asks_rows(source: Source) -> bool:
    return any("repository" in name.split(".") for _, names in _imports(source) for name in names)


def _web_imports(source: Source) -> Iterator[tuple[int, str]]:
    for line, names in _imports(source):
        if found := [name for name in names if any(name == web or name.startswith(f"{web}.") for web in _WEB)]:
            yield line, min(found, key=len)


def _imports(source: Source) -> Iterator[tuple[int, list[str]]]:
    """Yield the line of each import, with the dotted names that it reads: ``from a.b import c`` reads a.b and a.b.c."""
    package = source.module if source.file_name == "__init__.py" else source.module.rpartition(".")[0]
    for node in source.nodes:
        if isinstance(node, ast.Import):
            yield node.lineno, [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = absolute(node, package)
            yield node.lineno, [module, *(f"{module}.{one.name}" for one in node.names)]
