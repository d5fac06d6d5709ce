"""A Python file as rules see it: parsed once, with its comments and its imported names."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from tenantry.cli.check.names import ImportedNames

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One file. `name` is its path relative to the root of the project, `module` its dotted name."""

    path: Path
    name: str
    module: str

    @cached_property
    def text(self) -> str:
        """The content."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def lines(self) -> list[str]:
        """The content by line."""
        return self.text.splitlines()

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree. Raises `SyntaxError`."""
        return ast.parse(self.text, filename=self.name)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node of the tree; kept, because each rule looks at all of them."""
        return tuple(ast.walk(self.tree))

    @cached_property
    def functions(self) -> tuple[FunctionNode, ...]:
        """Every function and method, nested ones too."""
        return tuple(node for node in self.nodes if isinstance(node, FunctionNode))

    @cached_property
    def imported(self) -> ImportedNames:
        """What the names of the file stand for."""
        is_package = self.path.name == "__init__.py"
        return ImportedNames(self.nodes, self.module if is_package else self.module.rpartition(".")[0])

    @cached_property
    def comments(self) -> dict[int, tuple[str, bool]]:
        """Line → its comment, and whether nothing else is on that line."""
        found: dict[int, tuple[str, bool]] = {}
        for token in tokenize.generate_tokens(io.StringIO(self.text).readline):
            if token.type == tokenize.COMMENT:
                found[token.start[0]] = (token.string, not token.line[: token.start[1]].strip())
        return found

    @property
    def file_name(self) -> str:
        """The last part of the path."""
        return self.path.name

    @property
    def is_migration_step(self) -> bool:
        """Whether the file is one step of a migration chain: ``migrations/<plane>/<number>_….py``."""
        parts = PurePosixPath(self.name).parts
        return "migrations" in parts[:-1] and parts[-1][:4].isdigit()

    def place(self, node: ast.stmt | ast.expr | int) -> str:
        """Return ``file:line`` of a node or line."""
        return f"{self.name}:{node if isinstance(node, int) else node.lineno}"

    def calls(self) -> Iterator[ast.Call]:
        """Yield every call."""
        return (node for node in self.nodes if isinstance(node, ast.Call))


def own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a module or function without those of the functions inside it."""
    for child in ast.iter_child_nodes(scope):
        yield child
        if not isinstance(child, FunctionNode):
            yield from own_nodes(child)


def last_name(node: ast.AST) -> str | None:
    """Return the last part of a name or attribute: ``execute`` for ``connection.execute``."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return None


def text_of(node: ast.AST | None) -> str | None:
    """Return the value of a literal text, None for anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
