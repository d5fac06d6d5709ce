"""``tenantry check``: the rules of the framework, applied to the code of an application (and to the framework's own).

A rule that no command verifies is a wish. Each one here is a file of `rules`, whose docstring tells the incident that
it prevents; each finding names the rule, the place, the reason and the way out. What only the live database can tell
is the business of ``tenantry doctor``.
"""

from tenantry.cli.check.configuration import read_project
from tenantry.cli.check.finding import Finding
from tenantry.cli.check.project import CheckedProject
from tenantry.cli.check.rendering import render, render_json
from tenantry.cli.check.running import RULES, explain, left_out, run_checks
from tenantry.cli.check.settings import CheckSettings, Exemption, Sizes

__all__ = [
    "RULES",
    "CheckSettings",
    "CheckedProject",
    "Exemption",
    "Finding",
    "Sizes",
    "explain",
    "left_out",
    "read_project",
    "render",
    "render_json",
    "run_checks",
]
