"""`settings`: every variable that configures an application, from the classes that read them."""

from __future__ import annotations

import json
import types
import typing
from enum import Enum
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import typer

from tenantry.cli.context import Json

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from tenantry.kernel import SettingsGroup

_HEAD = """\
# Settings

Written by `tenantry settings --markdown`; a test compares it with the code. Every value is an environment variable,
read once at start. An unknown name that begins with `TENANTRY_` stops the start, with a suggestion; so does an invalid
value, and all problems are named at once. Values are never shown.

`TENANTRY_APP` names the application (`module:attribute`) where `--app` does not.
"""


class Variable(NamedTuple):
    """One environment variable: the group it belongs to, what it may be, what it is without being set, what it does."""

    group: str
    name: str
    accepts: str
    default: str
    description: str


def settings(
    as_json: Json = False,
    markdown: Annotated[bool, typer.Option(help="Write the page docs/settings.md.")] = False,
) -> None:
    """List every environment variable with its default and what it does.

    Example: tenantry settings --json
    """
    from tenantry.app import Settings

    variables = list(_variables(Settings, ()))
    if as_json:
        print(json.dumps([variable._asdict() for variable in variables], indent=2))
    elif markdown:
        print(_page(variables))
    else:
        for variable in variables:
            print(f"{variable.name}\n    {variable.accepts}; default: {variable.default}\n    {variable.description}")


def _variables(group: type[SettingsGroup], path: tuple[str, ...]) -> typing.Iterator[Variable]:
    from tenantry.kernel import PREFIX, SettingsGroup

    for name, field in sorted(group.model_fields.items(), key=lambda one: _is_group(one[1], SettingsGroup)):
        if _is_group(field, SettingsGroup):
            yield from _variables(typing.cast("type[SettingsGroup]", field.annotation), (*path, name))
        else:
            variable = PREFIX + "_".join((*path, name)).upper()
            description = " ".join((field.description or "").replace("``", "`").split())
            yield Variable(path[0] if path else "general", variable, _accepts(field), _default(field), description)


def _page(variables: list[Variable]) -> str:
    parts = [_HEAD]
    for group, members in groupby(variables, key=lambda variable: variable.group):
        parts.append(f"\n## {group.capitalize()}\n\n| variable | value | default | what it does |\n|---|---|---|---|")
        parts += ["\n| " + " | ".join(_cells(variable)) + " |" for variable in members]
        parts.append("\n")
    return "".join(parts).rstrip()


def _cells(variable: Variable) -> list[str]:
    cells = (f"`{variable.name}`", variable.accepts, variable.default, variable.description)
    return [cell.replace("|", "\\|") for cell in cells]


def _is_group(field: FieldInfo, group: type) -> bool:
    return isinstance(field.annotation, type) and issubclass(field.annotation, group)


def _default(field: FieldInfo) -> str:
    value = field.default
    match value:
        case None:
            return "none"
        case bool():
            return str(value).lower()
        case Enum():
            return str(value.value)
        case tuple() | frozenset():
            return ", ".join(map(str, sorted(value))) or "empty"
        case _:
            return str(value)


def _accepts(field: FieldInfo) -> str:
    """Return the kind of value and its bounds in words."""
    kind = _kind(field.annotation)
    lower = next((f"{word} {bound:g}" for word, bound in _bounds(field, {"ge": "from", "gt": "above"})), "")
    upper = next((f"to {bound:g}" for _, bound in _bounds(field, {"le": "to", "lt": "below"})), "")
    return " ".join(part for part in (kind, lower, upper) if part)


def _bounds(field: FieldInfo, words: dict[str, str]) -> list[tuple[str, float]]:
    return [(word, getattr(one, name)) for one in field.metadata for name, word in words.items() if hasattr(one, name)]


def _kind(annotation: Any) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in {typing.Union, types.UnionType}:
        kinds = [_kind(one) for one in arguments if one is not type(None)]
        return " or ".join(dict.fromkeys(kinds))
    if origin is Literal:
        return ", ".join(f"`{one}`" for one in arguments)
    if origin in {tuple, frozenset}:
        return f"{_kind(arguments[0])}, several with commas"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return ", ".join(f"`{one.value}`" for one in annotation)
    names = {bool: "true or false", int: "whole number", float: "number", str: "text"}
    return names.get(annotation, {"Path": "path", "SecretStr": "secret text"}.get(annotation.__name__, "network"))
