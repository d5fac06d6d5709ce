"""Services without HTTP: one call in a unit of work of its own, as a request would make it."""

from __future__ import annotations

from typing import Any

from tenantry.access import AccessContext
from tenantry.resources import ResourceService


async def call(
    context: AccessContext, service: type[ResourceService], operation: str, *given: Any, **named: Any
) -> Any:
    """Call one operation of a service, in the plane of its records, and commit; an error rolls back and is raised.

    For races, for keys with a scope, and for everything else that takes longer to say over HTTP::

        team = await call(tenant.context(Role.OWNER), TeamService, "create", TeamCreate(name="north"))
        await call(tenant.system, TeamService, "delete", team.id)
    """
    async with context.work(service.resource.plane) as uow:
        return await getattr(service(uow, context.principal, context.runtime), operation)(*given, **named)
