"""Explanations: why somebody may or may not do something, and who may."""

from pathlib import Path

from tenantry.module import Module
from tenantry.standard.explain.explanation import Explanation, ShownGrant, ShownLine, WhoCan, WhoCanPage
from tenantry.standard.explain.permissions import ACCESS_PERMISSIONS
from tenantry.standard.explain.router import explain_router
from tenantry.standard.explain.service import About, Asked, Explainer, Page

module = Module("access", permissions=ACCESS_PERMISSIONS, routers=(explain_router(),), folder=Path(__file__).parent)

__all__ = [
    "About",
    "Asked",
    "Explainer",
    "Explanation",
    "Page",
    "ShownGrant",
    "ShownLine",
    "WhoCan",
    "WhoCanPage",
    "module",
]
