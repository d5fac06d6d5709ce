"""The routes of API keys and service accounts, for the assembly. Not part of the package's surface, which the gate
imports: every route asks the gate."""

from __future__ import annotations

from fastapi import APIRouter

from tenantry.access.keys.api_keys_router import api_keys_router


def keys_routers() -> tuple[APIRouter, ...]:
    """Return every router of keys."""
    return (api_keys_router(),)
