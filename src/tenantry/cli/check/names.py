"""What the names of a file stand for, as far as its own import statements say."""

from __future__ import annotations

import ast
from collections.abc import Iterable


class ImportedNames:
    """Resolves names and attributes of one file to the dotted names they were imported as.

    >>> tree = ast.parse("import datetime as dt\\nfrom sqlalchemy import select as choose")
    >>> names = ImportedNames(ast.walk(tree), package="shop.orders")
    >>> names.dotted(ast.parse("dt.datetime.now", mode="eval").body)
    'datetime.datetime.now'
    >>> names.dotted(ast.parse("choose", mode="eval").body)
    'sqlalchemy.select'
    """

    def __init__(self, nodes: Iterable[ast.AST], package: str) -> None:
        self._package = package
        self._meaning: dict[str, str] = {}
        for node in nodes:
            if isinstance(node, ast.Import):
                self._import(node)
            elif isinstance(node, ast.ImportFrom):
                source = absolute(node, package)
                self._meaning |= {one.asname or one.name: f"{source}.{one.name}" for one in node.names}

    def dotted(self, node: ast.AST) -> str | None:
        """Return what a name or attribute stands for; None for what was not imported."""
        match node:
            case ast.Name(id=name):
                return self._meaning.get(name)
            case ast.Attribute(value=value, attr=attribute):
                owner = self.dotted(value)
                return f"{owner}.{attribute}" if owner else None
            case _:
                return None

    def _import(self, node: ast.Import) -> None:
        for one in node.names:
            if one.asname:
                self._meaning[one.asname] = one.name
            else:
                first = one.name.partition(".")[0]
                self._meaning[first] = first


def absolute(node: ast.ImportFrom, package: str) -> str:
    """Return the module that an import names, also for a relative one in a file of `package`."""
    if not node.level:
        return node.module or ""
    above = package.split(".")[: len(package.split(".")) - (node.level - 1)]
    return ".".join([*above, *([node.module] if node.module else [])])
