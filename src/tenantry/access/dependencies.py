"""Access rules for hand-written routes, and the value they leave behind: `Access`.

>>> from tenantry.http import api_router
>>> router = api_router("/reports", tags=["reports"])
>>> @router.get("", dependencies=[require_permission("reports:read")])
... async def reports(access: Access) -> dict[str, str]:
...     return {"tenant": access.principal.tenant.slug}
"""

from __future__ import annotations

from typing import Annotated, Any, cast

from fastapi import Depends, Request

from tenantry.access.context import AccessContext
from tenantry.access.gate import AccessGate
from tenantry.http import access_rule
from tenantry.runtime import Runtime
from tenantry.tenancy import Role


@access_rule
async def current_access(request: Request) -> AccessContext:
    """Return who acts in which tenant; the rule of routes that every member may call."""
    state = request.scope["state"]
    if "access" not in state:
        gate: AccessGate = request.app.state.assembly.gate
        runtime: Runtime = request.app.state.assembly.runtime
        state["access"] = AccessContext(await gate.principal(request.scope), runtime, state["request_id"])
    return cast("AccessContext", state["access"])


Access = Annotated[AccessContext, Depends(current_access)]
"""The parameter of a hand-written tenant route."""

member = Depends(current_access)
"""The rule "any member of the tenant", for ``dependencies=[…]``; the service decides the rest."""


def require_permission(permission: str) -> Any:
    """Return the rule "holds this permission", for ``dependencies=[…]``. Refuses with 403."""

    @access_rule
    async def rule(request: Request) -> AccessContext:
        access = await current_access(request)
        access.principal.require(permission)
        return access

    return Depends(rule)


def require_role(minimum: Role) -> Any:
    """Return the rule "has at least this role", for ``dependencies=[…]``. Refuses with 403."""

    @access_rule
    async def rule(request: Request) -> AccessContext:
        access = await current_access(request)
        access.principal.require_role(minimum)
        return access

    return Depends(rule)
