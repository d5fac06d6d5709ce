"""Chains: the five linear lines of migrations, each with a version table of its own.

The framework's steps are its own: an application never merges with them, it only runs after them.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tenantry.database.extension import EXTENSION
from tenantry.database.planes import METADATA, Plane, Table
from tenantry.database.row_security import model_of
from tenantry.kernel import ConfigurationError

FRAMEWORK = "tenantry"
"""The package whose models the framework's chains hold."""


@dataclass(frozen=True, slots=True)
class Chain:
    """One line of migrations: the files of a directory, for one plane, for the models of one package.

    `version_table` is unqualified: each schema of the plane has one. A directory that does not exist is a chain
    without steps.
    """

    name: str
    plane: Plane
    package: str
    script_location: Path
    version_table: str

    def owns(self, model: type[Table]) -> bool:
        """Tell whether the model's table is created by this chain."""
        return self._holds(model.__module__)

    def extends(self, column: sa.Column[Any]) -> bool:
        """Tell whether this chain adds the column to a table of somebody else's; see `extend`."""
        module = column.info.get(EXTENSION)
        return module is not None and self._holds(module)

    def tables(self) -> dict[str, sa.Table]:
        """Return the tables of this chain by name."""
        tables = METADATA[self.plane].tables.values()
        return {table.name: table for table in tables if self.owns(model_of(table))}

    def extended(self) -> set[str]:
        """Return the tables of others that this chain adds columns to."""
        tables = METADATA[self.plane].tables.values()
        return {table.name for table in tables if any(self.extends(column) for column in table.columns)}

    def _holds(self, module: str) -> bool:
        return module == self.package or module.startswith(f"{self.package}.")


def framework_chains() -> tuple[Chain, ...]:
    """Return the framework's chains: control, shared, tenant."""
    return tuple(_chain(FRAMEWORK, plane, "framework") for plane in Plane)


def application_chains(package: str) -> tuple[Chain, ...]:
    """Return an application's chains: ``<package>/migrations/control`` and ``<package>/migrations/tenant``.

    >>> [chain.name for chain in application_chains("planner")]
    ['planner/control', 'planner/tenant']
    """
    return tuple(_chain(package, plane, "application") for plane in (Plane.CONTROL, Plane.TENANT))


def _chain(package: str, plane: Plane, owner: str) -> Chain:
    specification = importlib.util.find_spec(package)
    if specification is None or not specification.submodule_search_locations:
        raise ConfigurationError(f"{package!r} is not a package that can be imported, so it has no migrations.")
    directory = Path(specification.submodule_search_locations[0]) / "migrations" / plane
    return Chain(f"{package}/{plane}", plane, package, directory, f"{owner}_version")
