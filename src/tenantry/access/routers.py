"""The routes of access: roles and permissions, keys, grants on whole resources, explanations.

Those of grants on records stand beside each resource (see `record_grants_router`).
"""

from __future__ import annotations

from fastapi import APIRouter

from tenantry.access.explain import explain_router
from tenantry.access.grants import type_grants_router
from tenantry.access.keys.router import keys_routers
from tenantry.access.roles import roles_routers


def access_routers() -> tuple[APIRouter, ...]:
    """Return every router of access."""
    return (*roles_routers(), *keys_routers(), type_grants_router(), explain_router())
