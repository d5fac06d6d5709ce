"""What an application built on Tenantry says of itself: its name, its modules, its migrations, its demo."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from fastapi.routing import APIRoute

from tenantry.access import MODELS as ACCESS_MODELS
from tenantry.access import PermissionCatalog, Permissions, ResourceAccess
from tenantry.app.enveloping import in_style
from tenantry.app.parts import Parts
from tenantry.audit import AuditEntry, ControlAuditEntry
from tenantry.database import Plane, Table
from tenantry.database.migrations import Chain, application_chains, framework_chains
from tenantry.events import ControlOutboxEvent, OutboxEvent
from tenantry.http import ResponseStyle
from tenantry.identity import OneTimeToken, Session, Throttle, User
from tenantry.module import Module
from tenantry.resources import (
    ControlIdempotencyKey,
    IdempotencyKey,
    PersonIdempotencyKey,
    ResourceDefinition,
    ResourceRouter,
)
from tenantry.standard.grants import record_grants_router
from tenantry.tenancy import MODELS as TENANCY_MODELS


class Seed(Protocol):
    """Fills an empty development database, through the services."""

    logins: str
    """What `tenantry dev` prints about the demo's accounts."""

    async def plant(self, parts: Parts) -> None:
        """Create the demo; called once, under a lock, on a database without tenants."""
        ...


FRAMEWORK_MODELS: tuple[type[Table], ...] = (
    User,
    Session,
    OneTimeToken,
    Throttle,
    *TENANCY_MODELS,
    *ACCESS_MODELS,
    AuditEntry,
    ControlAuditEntry,
    OutboxEvent,
    ControlOutboxEvent,
    IdempotencyKey,
    ControlIdempotencyKey,
    PersonIdempotencyKey,
)


@dataclass(frozen=True)
class Application:
    """An application: a title, a package, and its modules in the order of their routes.

    `package` holds the migrations (``<package>/migrations/tenant`` and ``…/control``). `seed` fills the demo.
    """

    title: str
    package: str
    modules: Sequence[Module]
    version: str = "0.1.0"
    description: str = ""
    seed: Seed | None = None

    @property
    def chains(self) -> tuple[Chain, ...]:
        """The framework's migration chains, then the application's."""
        return (*framework_chains(), *application_chains(self.package))

    @property
    def models(self) -> tuple[type[Table], ...]:
        """Every mapped class, the framework's first."""
        return (*FRAMEWORK_MODELS, *(model for module in self.modules for model in module.models))

    def catalog(self) -> PermissionCatalog:
        """Return every permission of the modules."""
        declared = [module.permissions for module in self.modules if isinstance(module.permissions, Permissions)]
        of_tenants = {one.name: one.singular for one in self._served if one.plane is Plane.TENANT}
        return PermissionCatalog(declared, of_tenants)

    @property
    def resources(self) -> tuple[ResourceRouter, ...]:
        """Every resource that is served, in the order of its routes."""
        return tuple(
            router for module in self.modules for router in module.routers if isinstance(router, ResourceRouter)
        )

    @property
    def singulars(self) -> dict[str, str]:
        """What one record of each resource is called, by the resource's name."""
        return {resource.name: resource.singular for resource in self._served}

    @property
    def _served(self) -> list[ResourceDefinition]:
        return [router.service.resource for router in self.resources]

    def routes(self, style: ResponseStyle) -> list[APIRoute]:
        """Return the routes of every module, in order."""
        routers = [router for module in self.modules for router in module.routers]
        rules = [rule for one in routers if isinstance(rule := getattr(one, "access", None), ResourceAccess)]
        return [route for router in routers for route in _routes_of(router, style, rules)]


def _routes_of(router: object, style: ResponseStyle, rules: Sequence[ResourceAccess]) -> Iterable[APIRoute]:
    """Return the routes of one router; `rules` are those of the controllers."""
    if isinstance(router, ResourceRouter):
        return [*router.routes(style), *_grants_of(router, style, rules)]
    return in_style((route for route in getattr(router, "routes", ()) if isinstance(route, APIRoute)), style)


def _grants_of(router: ResourceRouter, style: ResponseStyle, rules: Sequence[ResourceAccess]) -> Iterable[APIRoute]:
    """Return the routes of the grants on records, administered by whom the resource and its controllers name."""
    access = router.service.resource.access
    if not access.grantable:
        return ()
    admins = frozenset(access.acl_admins).union(*(one.acl_admins for one in rules if one.resource == access.resource))
    administered = replace(access, acl_admins=admins)
    return _routes_of(record_grants_router(administered, router.path), style, ())
