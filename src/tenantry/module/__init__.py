"""A domain module, as the assembly sees it: one value. Nothing registers itself by being imported."""

from tenantry.module.module import Module

__all__ = ["Module"]
