"""Helpers for the tests of applications built on Tenantry. Needs the extra ``tenantry[testing]``."""

from tenantry.testing.calling import call
from tenantry.testing.openapi_surface import ApiOperation, IdReference, PathSlot, Schema
from tenantry.testing.world import PASSWORD, TestTenant, World

__all__ = [
    "PASSWORD",
    "ApiOperation",
    "IdReference",
    "PathSlot",
    "Schema",
    "TestTenant",
    "World",
    "call",
]
