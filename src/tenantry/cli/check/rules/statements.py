"""Statements live in repositories, where each one starts from the visible set.

Which rows an actor may see is one predicate for each resource. A `select` that is written "just here", in a service or
a route, does not start from it, and a list shows what the single read refuses. In one place per module a reviewer can
compare every statement with the rule. Polar keeps such rules by a linter; the one of them without a check had been
broken eleven times. The packages below the modules, which make the visible set itself, are not held to it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tenantry.cli.check.domain import domain_sources
from tenantry.cli.check.finding import Finding
from tenantry.cli.check.project import CheckedProject
from tenantry.cli.check.source import Source, last_name, text_of

NAME = "statement-outside-repository"

_FUNCTIONS = {
    "select", "insert", "update", "delete", "text", "union", "union_all", "intersect", "intersect_all", "except_",
    "except_all", "exists", "lambda_stmt",
}  # fmt: skip
"""What makes a statement; to mention one is enough, because it can be given another name or passed on."""
_CLASSES = {"Select", "Insert", "Update", "Delete", "TextClause", "CompoundSelect", "Query"}
"""Types of statements; to mention one is an annotation, to call it makes a statement."""
_OF_TABLES = {"select", "insert", "update", "delete"}
_OF_SESSIONS = {"query", "get", "get_one"}
_SQL = re.compile(
    r"\s*\(*\s*(?:SELECT\s|INSERT\s+INTO\s|UPDATE\s+\S+\s+SET\s|DELETE\s+FROM\s|MERGE\s+INTO\s|WITH\s.+\sAS\s*\("
    r"|select\s.+\sfrom\s|insert\s+into\s|update\s+\S+\s+set\s|delete\s+from\s|merge\s+into\s|with\s.+\sas\s*\()",
    re.DOTALL,
)
_PLACES = {
    "repository.py": "every statement of a module",
    "statements.py": "the statements of a repository that would be too long with them",
    "predicates.py": "the visible set itself",
}
_DEFINITIONS = {"models.py": "conditions of indexes and server defaults are written as text in a table's definition"}


def check(project: CheckedProject) -> Iterator[Finding]:
    """Yield what makes a statement in the other files of modules; `text` is at home in `models.py` too."""
    for source in domain_sources(project):
        if source.file_name not in _PLACES and not source.is_migration_step:
            for node, maker in (*_functions(project, source), *_methods(source), *_texts(source)):
                yield Finding(
                    NAME,
                    source.place(node),
                    f"{maker} makes a statement outside the files that are compared with the visible set",
                    f"move it to the module's {' or '.join(list(_PLACES)[:2])}, and start it from the visible set",
                )


Made = tuple[ast.stmt | ast.expr, str]


def _functions(project: CheckedProject, source: Source) -> Iterator[Made]:
    called = {id(call.func) for call in source.calls()}
    for node in source.nodes:
        match node:
            case ast.ImportFrom(module=str(module), names=[ast.alias(name="*")]) if _is_sqlalchemy(module):
                yield node, f"from {module} import *"
            case ast.Name() | ast.Attribute():
                name = _maker(project, source, node)
                is_text = name == "text" and source.file_name in _DEFINITIONS
                if name and not is_text and (name in _FUNCTIONS or id(node) in called):
                    yield node, f"{name}()"


def _maker(project: CheckedProject, source: Source, node: ast.expr) -> str | None:
    dotted = project.meaning(source, node)
    if dotted is None or not _is_sqlalchemy(dotted) or ".func." in dotted:
        return None
    name = dotted.rpartition(".")[2]
    return name if name in _FUNCTIONS | _CLASSES else None


def _is_sqlalchemy(dotted: str) -> bool:
    return dotted.partition(".")[0] == "sqlalchemy"


def _methods(source: Source) -> Iterator[Made]:
    """Yield ``Task.__table__.select()``, also by way of a variable, and ``session.get(Task, id)``."""
    tables = {name for node in source.nodes for name in _named_tables(node)}
    for call in source.calls():
        match call.func:
            case ast.Attribute(value=owner, attr=method) if method in _OF_TABLES:
                if _is_table(owner) or (isinstance(owner, ast.Name) and owner.id in tables):
                    yield call, f"{last_name(owner)}.{method}()"
            case ast.Attribute(value=owner, attr=method) if method in _OF_SESSIONS and _names_model(call):
                if (last_name(owner) or "").lower().endswith("session"):
                    yield call, f"{last_name(owner)}.{method}()"


def _named_tables(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if _is_table(value):
            yield name
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if _is_table(value):
            yield name


def _is_table(node: ast.expr) -> bool:
    return last_name(node) == "__table__"


def _names_model(call: ast.Call) -> bool:
    first = last_name(call.args[0]) if call.args else None
    return first is not None and first[:1].isupper()


def _texts(source: Source) -> Iterator[Made]:
    """Yield texts that are SQL; docstrings and other texts that nothing is done with are left out."""
    spoken = {id(node.value) for node in source.nodes if isinstance(node, ast.Expr)}
    for node in source.nodes:
        text = text_of(node)
        if isinstance(node, ast.Constant) and text and id(node) not in spoken and _SQL.match(text):
            yield node, f"the SQL text {text.split()[0]} …"
