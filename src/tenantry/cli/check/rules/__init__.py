"""The rules, one file each. A rule is a module: a name, a docstring with the incident, and `check`.

Rules of files look at the source text alone, so that they run where the application cannot even be imported. Rules of
applications look at what was imported: routes, schemas, tables, permissions.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from tenantry.cli.check.finding import Finding
from tenantry.cli.check.project import CheckedProject
from tenantry.cli.check.rules import (
    code_map,
    commits,
    control_tables,
    dependency_scope,
    direct_clock,
    imports_in_functions,
    migration_names,
    module_readme,
    permissions,
    routes,
    secret_types,
    service_knows_web,
    sizes,
    statements,
    string_sql,
    tenant_tables,
    unbounded_strings,
    unparsed,
)


class Rule(Protocol):
    """What every module of this package offers."""

    @property
    def NAME(self) -> str:  # noqa: N802 - a constant of the module
        """How findings, allowances and the command line call it."""
        ...

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]
        """Why it exists."""
        ...

    def check(self, project: CheckedProject) -> Iterable[Finding]:
        """Yield every breach; places may be repeated."""
        ...


OF_FILES: tuple[Rule, ...] = (
    unparsed,
    commits,
    statements,
    string_sql,
    service_knows_web,
    dependency_scope,
    direct_clock,
    secret_types,
    imports_in_functions,
    sizes,
    module_readme,
    code_map,
    migration_names,
)
"""Applied to files; they need nothing but the source text."""

OF_APPLICATIONS: tuple[Rule, ...] = (tenant_tables, control_tables, unbounded_strings, routes, permissions)
"""Applied to the imported application; left out where none is named."""
