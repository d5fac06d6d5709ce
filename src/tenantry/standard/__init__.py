"""The framework's own modules, declared like those of an application."""

from __future__ import annotations

from tenantry.module import Module
from tenantry.standard import service_accounts, teams


def standard_modules() -> tuple[Module, ...]:
    """Return the modules that every application has, in the order of their routes."""
    return (teams.module, service_accounts.module)


__all__ = ["service_accounts", "standard_modules", "teams"]
