"""Writing the trail: one line in the transaction of the change itself, so that neither exists without the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Table as SqlTable
from sqlalchemy import insert

from tenantry.audit.models import AuditColumns, AuditEntry, ControlAuditEntry
from tenantry.database import Plane, Statement, Table, UnitOfWork, given
from tenantry.kernel import new_id

MASK = "***"
"""What the trail shows instead of a sensitive value; that it changed stays visible."""


def _insertion(model: type[AuditEntry | ControlAuditEntry]) -> Statement:
    written = [name for name in model.__table__.columns.keys() if name != "at"]  # noqa: SIM118 - a column collection
    return Statement(insert(model.__table__).values(given(*written)))


_INSERT = {Plane.TENANT: _insertion(AuditEntry), Plane.CONTROL: _insertion(ControlAuditEntry)}


async def record(
    uow: UnitOfWork,
    action: str,
    *,
    resource_type: str,
    resource_id: UUID | None = None,
    tenant_id: UUID | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write one line of the trail, in the plane of `uow`, with its actor and request.

    `action` names what happened, in the past tense (``members.added``). `before` and `after` hold the changed values,
    as JSON types, secrets left out or masked (see `shown`). `tenant_id` defaults to the unit of work's tenant.
    """
    await uow.run(
        _INSERT[uow.plane],
        **who(uow),
        id=new_id(),
        tenant_id=tenant_id or uow.tenant_id,
        action=action,
        resource_type=resource_type,
        resource_id=resource_id,
        before=None if before is None else dict(before),
        after=None if after is None else dict(after),
    )


def sensitive(table: type[Table] | SqlTable) -> frozenset[str]:
    """Return the columns whose values the trail masks: those with ``info={"sensitive": True}``."""
    columns = table.columns if isinstance(table, SqlTable) else table.__table__.columns
    return frozenset(column.name for column in columns if column.info.get("sensitive"))


def shown(table: type[Table] | SqlTable, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return column values as the trail shows them, the sensitive ones masked; for `before` and `after` of `record`.

    A line cannot be changed later: what is personal or secret would stay in it for ever.
    """
    masked = sensitive(table)
    return {name: MASK if name in masked else value for name, value in values.items()}


def who(uow: UnitOfWork) -> dict[str, Any]:
    """Return the columns that say who acted, for statements that write their line themselves."""
    return {"actor_kind": uow.actor.kind.value, "actor_id": uow.actor.id, "request_id": uow.request_id}


__all__ = ["MASK", "AuditColumns", "record", "sensitive", "shown", "who"]
