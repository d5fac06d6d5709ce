"""A dependency with a clean-up ends before the answer leaves.

Measured with FastAPI 0.165: a dependency with `yield` and the default scope is left *after* the 201 was sent. What it
commits then is acknowledged before it is kept, and a commit that fails is invisible to the client. ``scope="function"``
ends it before, and turns its errors into error answers. (Two scopes for the same dependency are two sessions.)
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tenantry.cli.check.finding import Finding
from tenantry.cli.check.project import CheckedProject
from tenantry.cli.check.source import FunctionNode, Source, last_name, own_nodes, text_of

NAME = "dependency-scope"

_DECLARING = {"Depends", "Security"}


def check(project: CheckedProject) -> Iterator[Finding]:
    """Yield the `Depends` on generators, and on what makes or is one, that do not say ``scope="function"``."""
    generators = {name for source in project.sources for name in _generators(source)}
    for source in project.sources:
        for call in source.calls():
            if last_name(call.func) in _DECLARING and not _ends_early(call):
                name = _dependency(source, call)
                if name is not None and _is_known(name, generators):
                    yield _finding(source, call, name)


def _generators(source: Source) -> Iterator[str]:
    """Yield the dotted names of generators, of functions that return one, and of classes whose `__call__` is one."""
    for node in source.tree.body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() if _yields(node) or _makes_generator(node):
                yield f"{source.module}.{node.name}"
            case ast.ClassDef():
                for method in node.body:
                    if isinstance(method, FunctionNode) and method.name == "__call__" and _yields(method):
                        yield f"{source.module}.{node.name}"


def _yields(function: FunctionNode) -> bool:
    return any(isinstance(node, ast.Yield | ast.YieldFrom) for node in own_nodes(function))


def _makes_generator(function: FunctionNode) -> bool:
    inner = {node.name for node in own_nodes(function) if isinstance(node, FunctionNode) and _yields(node)}
    returned = [node.value for node in own_nodes(function) if isinstance(node, ast.Return)]
    return any(isinstance(value, ast.Name) and value.id in inner for value in returned)


def _dependency(source: Source, call: ast.Call) -> str | None:
    given = [*call.args, *(one.value for one in call.keywords if one.arg == "dependency")]
    if not given:
        return None
    target = given[0].func if isinstance(given[0], ast.Call) else given[0]
    local = f"{source.module}.{target.id}" if isinstance(target, ast.Name) else None
    return source.imported.dotted(target) or local


def _is_known(name: str, generators: set[str]) -> bool:
    """Tell whether a name is a generator's, also where it was imported from the surface of a package above it."""
    package, _, last = name.rpartition(".")
    return any(one == name or (one.startswith(f"{package}.") and one.endswith(f".{last}")) for one in generators)


def _ends_early(call: ast.Call) -> bool:
    return any(one.arg == "scope" and text_of(one.value) == "function" for one in call.keywords)


def _finding(source: Source, call: ast.Call, name: str) -> Finding:
    reason = f"{name.rpartition('.')[2]} is left after the answer was sent: what it commits or refuses then is not seen"
    return Finding(NAME, source.place(call), reason, 'write Depends(…, scope="function")')
