"""Settings: one frozen group per package, read once at start from ``TENANTRY_<PACKAGE>_<VALUE>``.

An unknown name with our prefix is refused with a suggestion: a misspelled ``TENANTRY_DATABSE_URL`` that is silently
ignored would start an embedded server instead of the one that was meant. All problems are reported at once, and
values are never shown, because they may be secrets.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from tenantry.kernel.errors import ConfigurationError

PREFIX = "TENANTRY_"


class Environment(StrEnum):
    """Where the process runs. Production refuses what is only fit for development."""

    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


class SettingsGroup(BaseModel):
    """The values of one package. Subclasses give every field a docstring-like description and a default."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


Group = TypeVar("Group", bound=SettingsGroup)


def _parts(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        return json.loads(value)
    return [part.strip() for part in value.split(",") if part.strip()]


LISTED = BeforeValidator(_parts)
"""Reads a value of several parts from ``a, b`` or ``["a", "b"]``, because an environment variable is one string:
``Annotated[tuple[str, ...], LISTED]``."""


def load_settings(composed: type[Group], environ: Mapping[str, str], **overrides: Any) -> Group:
    """Read `composed` (a group whose fields are groups or plain values) from environment variables.

    A field `database` of type `DatabaseSettings` with a value `pool_size` reads ``TENANTRY_DATABASE_POOL_SIZE``;
    a plain field `environment` reads ``TENANTRY_ENVIRONMENT``. `overrides` (same nesting, as dicts) win.

    Raises `ConfigurationError` naming every unknown variable (with a suggestion) and every invalid value (masked).

    >>> class Web(SettingsGroup):
    ...     port: int = 8000
    >>> load_settings(Web, {"TENANTRY_PORT": "9000"}).port
    9000
    >>> load_settings(Web, {"TENANTRY_PROT": "9000"})
    Traceback (most recent call last):
    ...
    tenantry.kernel.errors.ConfigurationError: TENANTRY_PROT: unknown setting; did you mean TENANTRY_PORT?
    """
    names = variable_names(composed)
    problems = [_unknown(name, names) for name in sorted(environ) if name.startswith(PREFIX) and name not in names]
    values: dict[str, Any] = {}
    for name, path in names.items():
        if environ.get(name, "") != "":
            _put(values, path, environ[name])
    _merge(values, overrides)
    try:
        settings = composed.model_validate(values)
    except ValidationError as error:
        problems += [f"{_variable(e['loc'])}: {e['msg']} (the value is not shown)" for e in error.errors()]
    if problems:
        raise ConfigurationError("\n".join(problems))
    return settings


def variable_names(composed: type[BaseModel], path: tuple[str, ...] = ()) -> dict[str, tuple[str, ...]]:
    """Return every environment variable of a settings class with the path of the field it fills."""
    names: dict[str, tuple[str, ...]] = {}
    for field, details in composed.model_fields.items():
        annotation = details.annotation
        if isinstance(annotation, type) and issubclass(annotation, SettingsGroup):
            names |= variable_names(annotation, (*path, field))
        else:
            names[_variable((*path, field))] = (*path, field)
    return names


def _variable(path: tuple[str | int, ...]) -> str:
    return PREFIX + "_".join(str(part).upper() for part in path)


def _unknown(name: str, known: Mapping[str, Any]) -> str:
    own = [one.removeprefix(PREFIX) for one in known]  # the common prefix would make every name resemble every other
    close = difflib.get_close_matches(name.removeprefix(PREFIX), own, n=1)
    return f"{name}: unknown setting" + (f"; did you mean {PREFIX}{close[0]}?" if close else "; see: tenantry settings")


def _put(values: dict[str, Any], path: tuple[str, ...], value: str) -> None:
    for part in path[:-1]:
        values = values.setdefault(part, {})
    values[path[-1]] = value


def _merge(values: dict[str, Any], overrides: Mapping[str, Any]) -> None:
    for key, value in overrides.items():
        if isinstance(value, Mapping):
            _merge(values.setdefault(key, {}), value)
        else:
            values[key] = value
