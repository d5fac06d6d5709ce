"""No SQL made of strings and values.

Row security stops mistakes, not arbitrary SQL: whoever can inject a statement can also set another tenant's id, so
string-built SQL is the one door that the wall does not close. Values are parameters; identifiers, which cannot be
parameters, pass `quoted()` or `qualified()`; constants of the code, written in capitals, may stand in a statement.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from tenantry.cli.check.finding import Finding
from tenantry.cli.check.project import CheckedProject
from tenantry.cli.check.source import Source, last_name, own_nodes, text_of

NAME = "string-sql"

_TAKES_SQL = {
    "text", "Statement", "execute", "executemany", "exec_driver_sql", "fetch", "fetchrow", "fetchval", "cursor",
}  # fmt: skip
"""Functions whose first argument is SQL, by their last name: connections are not recognised by their type here."""
_QUOTING = {"quoted", "qualified"}

Assigned = Mapping[str, ast.expr]


def check(project: CheckedProject) -> Iterator[Finding]:
    """Yield the calls that get SQL put together from values, directly or through a variable of the same function."""
    for source in project.sources:
        for scope in (source.tree, *source.functions):
            assigned = _assigned(scope)
            for node in own_nodes(scope):
                if isinstance(node, ast.Call) and last_name(node.func) in _TAKES_SQL and node.args:
                    yield from _judged(source, node, assigned)


def _judged(source: Source, call: ast.Call, assigned: Assigned) -> Iterator[Finding]:
    if how := _how_composed(call.args[0], assigned):
        yield Finding(
            NAME,
            source.place(call),
            f"{last_name(call.func)}() gets SQL that is put together by {how}",
            "pass values as parameters (bindparam, $1) and identifiers through quoted(); better: a SQLAlchemy "
            "expression in the repository",
        )


def _assigned(scope: ast.AST) -> dict[str, ast.expr]:
    """Return the last value of each variable, and the composition where one was built up with ``+=``."""
    found: dict[str, ast.expr] = {}
    for node in own_nodes(scope):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found[name] = value
            case ast.AugAssign(target=ast.Name(id=name) as target, op=ast.Add() as plus, value=value):
                found[name] = ast.BinOp(found.get(name, target), plus, value)
    return found


def _how_composed(node: ast.expr, assigned: Assigned) -> str | None:
    """Return how a text is put together from something that may be a value; None where it is not, or not known."""
    if _is_safe(node, assigned):
        return None
    how: str | None = None
    match node:
        case ast.JoinedStr():
            how = "an f-string"
        case ast.BinOp(left=left, op=ast.Mod()) if _is_text(left):
            how = "%"
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            inner = _how_composed(left, assigned) or _how_composed(right, assigned)
            how = inner or ("+" if _is_text(left) or _is_text(right) else None)
        case ast.Call(func=ast.Attribute(value=value, attr="format")) if _is_text(value):
            how = ".format()"
        case ast.IfExp(body=body, orelse=other):
            how = _how_composed(body, assigned) or _how_composed(other, assigned)
        case ast.Name(id=name) if name in assigned:
            how = _how_composed(assigned[name], _without(assigned, name))
    return how


def _is_safe(node: ast.expr, assigned: Assigned) -> bool:
    """Tell whether a text holds literals, constants of the code and quoted identifiers alone."""
    parts: list[ast.expr] = []
    match node:
        case ast.Constant():
            return True
        case ast.JoinedStr(values=parts):
            pass
        case ast.FormattedValue(value=value):
            parts = [value]
        case ast.BinOp(left=left, op=ast.Add(), right=right) | ast.IfExp(body=left, orelse=right):
            parts = [left, right]
        case ast.Call(func=ast.Attribute(attr="join"), args=[ast.GeneratorExp(elt=part) | ast.ListComp(elt=part)]):
            parts = [part]
        case ast.Name(id=name) if name in assigned:
            return _is_safe(assigned[name], _without(assigned, name))
        case _:
            return _is_known(node)
    return all(_is_safe(part, assigned) for part in parts)


def _is_known(node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        return last_name(node.func) in _QUOTING
    return (last_name(node) or "").strip("_").isupper()


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or text_of(node) is not None


def _without(assigned: Assigned, name: str) -> Assigned:
    return {key: value for key, value in assigned.items() if key != name}
