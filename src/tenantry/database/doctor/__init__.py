"""Doctor: the rules that a live database must keep, each with its reason and its way out."""

from tenantry.database.doctor.declared import Declared
from tenantry.database.doctor.distribution import distribution_findings, leaking_findings
from tenantry.database.doctor.examination import assert_safe_roles, examine, examine_connection
from tenantry.database.doctor.finding import DatabaseFinding, Severity

__all__ = [
    "DatabaseFinding",
    "Declared",
    "Severity",
    "assert_safe_roles",
    "distribution_findings",
    "examine",
    "examine_connection",
    "leaking_findings",
]
