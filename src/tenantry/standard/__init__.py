"""The framework's own modules, in the vocabulary of every domain module.

An application lists them like its own: ``Application(modules=(*standard_modules(), projects.module, …))``. It can leave
one out, or put another in its place; what makes a principal and a decision stays below (`identity`, `tenancy`,
`access`) and works without their routes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tenantry.kernel import ConfigurationError
from tenantry.module import Module
from tenantry.standard import (
    api_keys,
    auth,
    explain,
    grants,
    invitations,
    members,
    platform,
    roles,
    service_accounts,
    sessions,
    teams,
    tenants,
    users,
)
from tenantry.standard.services import StandardServices


def standard_modules(
    *, without: Collection[str] = (), instead: Mapping[str, Module] | None = None
) -> tuple[Module, ...]:
    """Return the modules that an application has unless it says otherwise, in the order of their routes.

    `without` names modules to leave out, `instead` puts others in their places. Raises `ConfigurationError` for a name
    that no module has: a misspelt one would leave routes open, or close them, unnoticed.

    >>> [module.name for module in standard_modules(without={"access"})][-1]
    'grants'
    """
    chosen = {module.name: module for module in _ALL} | dict(instead or {})
    if unknown := (set(without) | chosen.keys()) - {module.name for module in _ALL}:
        known = ", ".join(module.name for module in _ALL)
        raise ConfigurationError(f"standard_modules: {sorted(unknown)} is none of {known}.")
    return tuple(chosen[module.name] for module in _ALL if module.name not in without)


_ALL: tuple[Module, ...] = (
    auth.module,
    users.module,
    sessions.module,
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
