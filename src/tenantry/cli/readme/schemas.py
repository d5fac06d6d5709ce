"""*Schemas & Validation*: what clients send, with its bounds, and what they get."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from tenantry.cli.readme.served import Served
from tenantry.cli.readme.tables import code, table

Field = Mapping[str, Any]

_FORMATS = {"password": "secret text", "uuid": "UUID", "date-time": "date and time"}


def schemas(folder: Path, routes: Sequence[Served]) -> str:
    """Return the schemas that a module declares and its routes use; an empty text where there are none."""
    taken = _own(folder, (model for served in routes for model in _models(_body(served))))
    given = _own(folder, (model for served in routes for model in _models(served.route.response_model)))
    parts = list(_inputs(taken))
    parts += list(_outputs([model for model in given if model not in taken]))
    return "\n\n".join(parts)


def _inputs(models: Sequence[type[BaseModel]]) -> Iterator[str]:
    shown: dict[str, list[tuple[str, str]]] = {}
    for model in models:
        fields = [(name, phrase) for name, phrase, _ in _fields(model)]
        required = {name for name, _, is_required in _fields(model) if is_required}
        same = [other for other, theirs in shown.items() if theirs == fields and not required]
        shown[model.__name__] = fields
        if same:
            yield f"`{model.__name__}`: the fields of `{same[0]}`, each of them optional."
            continue
        rows = [[f"`{name}`", phrase, "required" if name in required else ""] for name, phrase in fields]
        yield f"`{model.__name__}`" + (f"\n\n{table(['field', 'takes', ''], rows)}" if rows else ": no fields.")


def _outputs(models: Sequence[type[BaseModel]]) -> Iterator[str]:
    shown: list[list[str]] = []
    for model in models:
        names = list(model.model_fields)
        if names not in shown:
            shown.append(names)
            yield f"`{model.__name__}` answers {code(names)}."


def _fields(model: type[BaseModel]) -> Iterator[tuple[str, str, bool]]:
    schema = model.model_json_schema()
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        yield name, _phrase(field, schema.get("$defs", {})), name in required


def _phrase(field: Field, definitions: Mapping[str, Field]) -> str:
    """Return what a field takes, in words."""
    if "$ref" in field:
        return _phrase(definitions[field["$ref"].rpartition("/")[2]], definitions)
    if union := field.get("anyOf") or field.get("oneOf") or field.get("allOf"):
        return " or ".join(dict.fromkeys(_phrase(one, definitions) for one in union))
    if "enum" in field or "const" in field:
        return code(str(value) for value in field.get("enum", [field.get("const")]))
    if field.get("type") == "array":
        inner = _phrase(field.get("items", {}), definitions)
        return f"list of {inner}{_bounds(field.get('minItems'), field.get('maxItems'), 'of them')}"
    return _simple(field)


def _simple(field: Field) -> str:
    match field.get("type"):
        case "string":
            bounds = _bounds(field.get("minLength"), field.get("maxLength"), "characters")
            name = field.get("format", "text")
            return f"{_FORMATS.get(name, name)}{bounds}{_pattern(field)}"
        case "integer" | "number" as kind:
            return f"{kind}{_bounds(field.get('minimum'), field.get('maximum'))}"
        case str(kind):
            return kind
        case _:
            return "anything"


def _bounds(least: float | None, most: float | None, unit: str = "") -> str:
    match least, most:
        case None, None:
            return ""
        case None, _:
            words = f"at most {most:,}"
        case _, None:
            words = f"at least {least:,}"
        case _:
            words = f"{least:,} to {most:,}"
    return f", {words} {unit}".rstrip()


def _pattern(field: Field) -> str:
    return f", like `{field['pattern']}`" if "pattern" in field and "format" not in field else ""


def _body(served: Served) -> Any:
    field = served.route.body_field
    return field.field_info.annotation if field is not None else None


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models of an annotation, and those inside of them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from _models(field.annotation)
    for argument in get_args(annotation):
        yield from _models(argument)


def _own(folder: Path, models: Iterable[type[BaseModel]]) -> list[type[BaseModel]]:
    """Return the models that are declared in a folder, each once."""
    return [model for model in dict.fromkeys(models) if _file(model).is_relative_to(folder)]


def _file(model: type[BaseModel]) -> Path:
    return Path(getattr(sys.modules.get(model.__module__), "__file__", None) or "/")
