"""Explanations: why somebody may or may not do something, and who may."""

from tenantry.access.explain.explanation import Explanation, ShownGrant, ShownLine, WhoCan, WhoCanPage
from tenantry.access.explain.router import explain_router
from tenantry.access.explain.service import About, Asked, Explainer, Page

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
    "explain_router",
]
