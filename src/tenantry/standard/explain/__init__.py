"""Explanations: why somebody may or may not do something, and who may."""

from pathlib import Path

from tenantry.module import Module
from tenantry.standard.explain.permissions import ACCESS_PERMISSIONS
from tenantry.standard.explain.question import AccessQuestion, SubjectReference
from tenantry.standard.explain.router import explain_router
from tenantry.standard.explain.schemas import ExplainedGrant, ExplanationRead, WhoCanRead
from tenantry.standard.explain.service import Explainer

module = Module("access", permissions=ACCESS_PERMISSIONS, routers=(explain_router(),), folder=Path(__file__).parent)

__all__ = [
    "AccessQuestion",
    "ExplainedGrant",
    "Explainer",
    "ExplanationRead",
    "SubjectReference",
    "WhoCanRead",
    "module",
]
