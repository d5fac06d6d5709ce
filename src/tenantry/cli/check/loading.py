"""From ``module:attribute`` to the facts that the rules ask for. The one place that knows how an application is made.

Only what can be imported is looked at; nothing is started, and no database is asked.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from fastapi.routing import APIRoute
from pydantic import BaseModel
from sqlalchemy import Table

from tenantry.access import Permissions, Role
from tenantry.app import Application
from tenantry.app.health import router as health
from tenantry.cli.check.assembled import Assembled, DeclaredVerbs, GuardedTable, Located, PermissionUse, ServedRoute
from tenantry.cli.check.project import CheckedProject
from tenantry.cli.readme.generating import generated
from tenantry.database import METADATA, Plane
from tenantry.database.row_security import model_of, policies_of, privileges_of
from tenantry.http import InputSchema, ResponseStyle, rules_of
from tenantry.kernel import ConfigurationError
from tenantry.module import Module
from tenantry.resources import Operation, ResourceRoute, ResourceRouter, is_controller

_VERBS = {
    Operation.CREATE: ("create",),
    Operation.READ: ("read",),
    Operation.LIST: ("read",),
    Operation.UPDATE: ("update",),
    Operation.REPLACE: ("update",),
    Operation.DELETE: ("delete", "purge"),
    Operation.RESTORE: ("delete",),
    Operation.CLEAR: ("clear",),
}
"""The verbs that a resource's operations ask for; ``?hard=true`` of a delete is a purge, where there is one."""


def load_application(reference: str, project: CheckedProject) -> Assembled:
    """Import ``module:attribute`` and return what the rules ask of it. Raises `ConfigurationError`."""
    application, file = _imported(reference, project)
    place = f"{project.name_of(file)}:1" if project.holds(file) else f"{file}:1"
    routes = [*health.routes, *application.routes(ResponseStyle.PLAIN)]
    served = [_served(route, project, place) for route in routes if isinstance(route, APIRoute)]
    return Assembled(
        place=place,
        routes=served,
        permissions=list(_permissions(application, project, place)),
        uses=[use for module in application.modules for use in _uses(module, project, place)],
        inputs=list(_inputs(served, project)),
        tables=list(_tables(Plane.TENANT, project, place)),
        control_tables=list(_control_tables(project, place)),
        folders=[module.folder for module in application.modules if module.folder],
        readmes={
            module.folder.resolve(): generated(application, module)
            for module in application.modules
            if module.folder and project.holds(module.folder)
        },
    )


def _imported(reference: str, project: CheckedProject) -> tuple[Application, Path]:
    name, _, attribute = reference.partition(":")
    for folder in {str(package.parent) for package in project.packages} - set(sys.path):
        sys.path.insert(0, folder)
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        raise ConfigurationError(
            f"The application {reference} cannot be imported: {error}. Correct it, or check the files alone with "
            "--application ''."
        ) from error
    application = getattr(module, attribute or "application", None)
    if not isinstance(application, Application):
        raise ConfigurationError(
            f"{reference} is no application of Tenantry: name it as package.module:attribute, where the attribute is "
            "an Application(…)."
        )
    return application, Path(module.__file__ or name)


def _served(route: APIRoute, project: CheckedProject, fallback: str) -> ServedRoute:
    """Generated routes decide who acts before anything else; hand-written ones must say their rule."""
    is_declared = isinstance(route, ResourceRoute) or bool(rules_of(route))
    return ServedRoute(route, is_declared, project.place_of(route.endpoint) or fallback)


def _permissions(application: Application, project: CheckedProject, fallback: str) -> Iterator[DeclaredVerbs]:
    folders = {id(module.permissions): module.folder for module in application.modules}
    for declared in application.catalog().modules:
        folder = folders.get(id(declared))
        place = fallback
        if folder is not None and project.holds(folder):
            file = folder / "permissions.py"
            place = f"{project.name_of(file if file.is_file() else folder / '__init__.py')}:1"
        yield DeclaredVerbs(declared.resource, frozenset(declared.verbs), _granted(declared), place, folder)


def _granted(declared: Permissions) -> frozenset[str]:
    held = {permission for role in Role for permission in declared.of(role)}
    return frozenset(permission.split(":")[1] for permission in held)


def _uses(module: Module, project: CheckedProject, fallback: str) -> Iterator[PermissionUse]:
    for router in module.routers:
        if isinstance(router, ResourceRouter):
            access = router.service.resource.access
            verbs = {verb for operation in router.operations for verb in _VERBS[operation]} | set(access.own_when)
            verbs |= {"grant"} if access.grantable else set()
            verbs -= set() if router.service.resource.purgeable else {"purge"}
            place = project.place_of(router.service) or fallback
            for verb in sorted(verbs):
                yield PermissionUse(access.permission(verb), place)
            for permission in sorted(set(access.restricted.values())):
                yield PermissionUse(permission, place)
        elif is_controller(router):
            place = project.place_of(router) or fallback
            for verb in sorted(router.verbs):
                yield PermissionUse(f"{router.access.resource}:{verb}", place)


def _inputs(routes: Iterable[ServedRoute], project: CheckedProject) -> Iterator[Located[type[BaseModel]]]:
    """Yield the project's input schemas, and whatever else its routes take as a body."""
    models = [*_descendants(InputSchema), *(model for served in routes for model in _bodies(served.route))]
    seen: set[str] = set()
    for model in models:
        place = project.place_of(model)
        if place is not None and place not in seen:
            seen.add(place)
            yield Located(model, place)


def _bodies(route: object) -> Iterator[type[BaseModel]]:
    field = getattr(route, "body_field", None)
    annotation = field.field_info.annotation if field is not None else None
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation


def _descendants(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for below in model.__subclasses__():
        yield below
        yield from _descendants(below)


def _control_tables(project: CheckedProject, fallback: str) -> Iterator[Located[GuardedTable]]:
    for located in _tables(Plane.CONTROL, project, fallback):
        with suppress(ConfigurationError):  # a table without a model has neither; migrations refuse it
            table = located.value
            yield Located(GuardedTable(table, policies_of(table), privileges_of(table)), located.place)


def _tables(plane: Plane, project: CheckedProject, fallback: str) -> Iterator[Located[Table]]:
    """Yield the project's tables of a plane; those of the packages it uses are theirs to correct."""
    for table in METADATA[plane].tables.values():
        try:
            place = project.place_of(model_of(table))
        except ConfigurationError:
            place = fallback  # a table without a model: nobody else would report it
        if place is not None:
            yield Located(table, place)
