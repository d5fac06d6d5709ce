"""The runtime: what lives as long as the process, in one value. Web, worker, command line and tests build the same."""

from __future__ import annotations

from dataclasses import dataclass, field

from tenantry.cache import FactCache
from tenantry.database import Database
from tenantry.kernel import Clock, Environment
from tenantry.observability import Metrics
from tenantry.runtime.mail import Courier
from tenantry.runtime.members import MemberDirectory
from tenantry.runtime.permissions import PermissionMeanings
from tenantry.runtime.settings import SettingsGroups


@dataclass(frozen=True, slots=True)
class Runtime:
    """Process-lifetime objects. Swap a part with `dataclasses.replace` (a clock, a courier); never the application.

    A service is made for one unit of work, with the runtime: what it needs of the process, such as the time, its
    settings, or somebody who sends its mail after the commit, it finds here.
    """

    environment: Environment
    clock: Clock
    database: Database
    facts: FactCache
    courier: Courier
    members: MemberDirectory
    metrics: Metrics
    permissions: PermissionMeanings
    settings: SettingsGroups = field(default_factory=SettingsGroups)
    """The settings of every package by type: ``runtime.settings[TenancySettings].invitation_lifetime``."""
