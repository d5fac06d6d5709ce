"""Access rules for hand-written routes, and the value they leave behind: `Access`.

>>> from tenantry.http import api_router
>>> router = api_router("/reports", tags=["reports"])
>>> @router.get("", dependencies=[require_permission("reports:read")])
... async def reports(access: Access) -> dict[str, str]:
...     return {"tenant": access.principal.tenant.slug}
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, cast

from fastapi import Depends, Request

from tenantry.access.gate import AccessGate
from tenantry.access.principal import Principal
from tenantry.database import Planning, UnitOfWork
from tenantry.http import access_rule
from tenantry.runtime import Runtime
from tenantry.tenancy import Role


@dataclass(frozen=True, slots=True)
class RequestAccess:
    """Who calls, and how to work in their name."""

    principal: Principal
    runtime: Runtime
    request_id: str

    def work(self, planning: Planning = Planning.KEPT) -> UnitOfWork:
        """Open the tenant's unit of work; after validation, and closed before the answer leaves.

        `planning` is `Planning.FRESH` for statements that read many rows.
        """
        principal = self.principal
        return self.runtime.database.tenant_scope(
            principal.tenant.id,
            principal.tenant.placement,
            actor=principal.actor,
            request_id=self.request_id,
            planning=planning,
            reader=principal,
        )

    def control_work(self) -> UnitOfWork:
        """Open a unit of work in the control plane that sees this tenant's facts, and reads its trail there."""
        principal = self.principal
        return self.runtime.database.control_scope(
            actor=principal.actor,
            request_id=self.request_id,
            tenant_id=principal.tenant.id,
            user_id=principal.user_id,
        )


@access_rule
async def current_access(request: Request) -> RequestAccess:
    """Return who acts in which tenant; the rule of routes that every member may call."""
    state = request.scope["state"]
    if "access" not in state:
        gate: AccessGate = request.app.state.gate
        principal = await gate.principal(request.scope)
        state["access"] = RequestAccess(principal, request.app.state.runtime, state["request_id"])
    return cast("RequestAccess", state["access"])


Access = Annotated[RequestAccess, Depends(current_access)]
"""The parameter of a hand-written tenant route."""

member = Depends(current_access)
"""The rule "any member of the tenant", for ``dependencies=[…]``; the service decides the rest."""


def require_permission(permission: str) -> Any:
    """Return the rule "holds this permission", for ``dependencies=[…]``. Refuses with 403."""

    @access_rule
    async def rule(request: Request) -> RequestAccess:
        access = await current_access(request)
        access.principal.require(permission)
        return access

    return Depends(rule)


def require_role(minimum: Role) -> Any:
    """Return the rule "has at least this role", for ``dependencies=[…]``. Refuses with 403."""

    @access_rule
    async def rule(request: Request) -> RequestAccess:
        access = await current_access(request)
        access.principal.require_role(minimum)
        return access

    return Depends(rule)
