"""The runtime: what lives as long as the process, in one value. Web, worker, command line and tests build the same."""

from __future__ import annotations

from dataclasses import dataclass

from tenantry.cache import FactCache
from tenantry.database import Database
from tenantry.kernel import Clock, Environment
from tenantry.observability import Metrics
from tenantry.runtime.mail import Mailer
from tenantry.runtime.members import MemberDirectory
from tenantry.runtime.permissions import PermissionMeanings


@dataclass(frozen=True, slots=True)
class Runtime:
    """Process-lifetime objects. Swap a part with `dataclasses.replace` (a clock, a mailer); never the application."""

    environment: Environment
    clock: Clock
    database: Database
    facts: FactCache
    mailer: Mailer
    members: MemberDirectory
    metrics: Metrics
    permissions: PermissionMeanings
