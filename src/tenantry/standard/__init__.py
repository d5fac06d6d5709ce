"""The framework's own modules, in the vocabulary of every domain module.

An application lists them like its own: ``Application(modules=(*standard_modules(), projects.module, …))``. It can leave
one out, or put another in its place; what makes a principal and a decision stays below (`identity`, `tenancy`,
`access`) and works without their routes.
"""

from __future__ import annotations

from tenantry.module import Module
from tenantry.standard import (
    api_keys,
    explain,
    grants,
    invitations,
    members,
    platform,
    roles,
    service_accounts,
    teams,
    tenants,
)
from tenantry.standard.services import StandardServices


def standard_modules() -> tuple[Module, ...]:
    """Return the modules that an application has unless it says otherwise, in the order of their routes."""
    return (
        tenants.module,
        members.module,
        invitations.module,
        teams.module,
        platform.module,
        roles.module,
        api_keys.module,
        service_accounts.module,
        grants.module,
        explain.module,
    )


__all__ = ["StandardServices", "standard_modules"]
