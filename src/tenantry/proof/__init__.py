"""The proof of isolation: two tenants full of canaries, and every route called by everybody for what is not theirs.

Behind ``tenantry prove isolation``. It knows no application: what is called, by whom and with what is read from the
modules, the routes and the OpenAPI document. Needs the extra ``tenantry[testing]``.
"""

from tenantry.proof.prover import Plan, prove, prove_on
from tenantry.proof.report import Report, RouteStanding
from tenantry.proof.scratch import Scratch, scratch_database
from tenantry.proof.verdicts import Breach, IsolationFinding

__all__ = [
    "Breach",
    "IsolationFinding",
    "Plan",
    "Report",
    "RouteStanding",
    "Scratch",
    "prove",
    "prove_on",
    "scratch_database",
]
