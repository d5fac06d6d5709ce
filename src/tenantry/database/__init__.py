"""PostgreSQL: pools, the unit of work, compiled statements, placement, row security, migrations, embedded server."""

from tenantry.database.constraints import FIELD, Constraints, constraints_of
from tenantry.database.control_models import ControlModel, ControlRecord
from tenantry.database.database import Database
from tenantry.database.errors import (
    CommitRefused,
    ConcurrentChange,
    DatabaseBusy,
    DatabaseUnavailable,
    OutcomeUnknown,
    ReferenceNotFound,
    RowSecurityRefused,
    SchemaBehind,
    StillReferenced,
    TransactionControl,
    UniqueConflict,
    UnsafeRole,
    ValueRefused,
)
from tenantry.database.extension import EXTENSION, extend
from tenantry.database.placement import Placement, PlacementKind, PlacementSource
from tenantry.database.planes import (
    METADATA,
    ControlTable,
    Plane,
    SharedTable,
    Table,
    TenantTable,
    Timestamp,
    plane_of,
    tenant_reference,
)
from tenantry.database.planning import Planning
from tenantry.database.pool import ConnectionPool
from tenantry.database.roles import DatabaseRole
from tenantry.database.settings import DatabaseSettings
from tenantry.database.shown_rows import ShownRows
from tenantry.database.statements import Statement, given, sql_literal
from tenantry.database.unit_of_work import Row, UnitOfWork
from tenantry.database.urls import DatabaseUrls

__all__ = [
    "EXTENSION",
    "FIELD",
    "METADATA",
    "CommitRefused",
    "ConcurrentChange",
    "ConnectionPool",
    "Constraints",
    "ControlModel",
    "ControlRecord",
    "ControlTable",
    "Database",
    "DatabaseBusy",
    "DatabaseRole",
    "DatabaseSettings",
    "DatabaseUnavailable",
    "DatabaseUrls",
    "OutcomeUnknown",
    "Placement",
    "PlacementKind",
    "PlacementSource",
    "Plane",
    "Planning",
    "ReferenceNotFound",
    "Row",
    "RowSecurityRefused",
    "SchemaBehind",
    "SharedTable",
    "ShownRows",
    "Statement",
    "StillReferenced",
    "Table",
    "TenantTable",
    "Timestamp",
    "TransactionControl",
    "UniqueConflict",
    "UnitOfWork",
    "UnsafeRole",
    "ValueRefused",
    "constraints_of",
    "extend",
    "given",
    "plane_of",
    "sql_literal",
    "tenant_reference",
]
