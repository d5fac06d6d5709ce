"""Helpers for the tests of applications built on Tenantry. Needs the extra ``tenantry[testing]``."""

from tenantry.testing.world import PASSWORD, TestTenant, World

__all__ = ["PASSWORD", "TestTenant", "World"]
