"""Migrations: five linear chains, rendered to SQL, run for each placement under a lock."""

from tenantry.database.migrations.chains import Chain, application_chains, framework_chains
from tenantry.database.migrations.drift import drift
from tenantry.database.migrations.generator import NothingChanged, revision
from tenantry.database.migrations.report import Gap, MigrationReport, Outcome, Progress
from tenantry.database.migrations.runner import create_placement_schema, migrate, rewind
from tenantry.database.migrations.versions import pending, require_current

__all__ = [
    "Chain",
    "Gap",
    "MigrationReport",
    "NothingChanged",
    "Outcome",
    "Progress",
    "application_chains",
    "create_placement_schema",
    "drift",
    "framework_chains",
    "migrate",
    "pending",
    "require_current",
    "revision",
    "rewind",
]
