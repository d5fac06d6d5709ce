"""Announcing facts: `publish` writes a row of the outbox in the caller's transaction; delivery is a later job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, insert

from tenantry.audit import who
from tenantry.database import Plane, Statement, UnitOfWork
from tenantry.events.models import ControlOutboxEvent, OutboxEvent
from tenantry.kernel import new_id


def _insertion(model: type[OutboxEvent | ControlOutboxEvent]) -> Statement:
    written = [name for name in model.__table__.columns.keys() if name not in {"at", "seq"}]  # noqa: SIM118 - a column collection
    return Statement(insert(model.__table__).values({name: bindparam(name) for name in written}))


_INSERT = {Plane.TENANT: _insertion(OutboxEvent), Plane.CONTROL: _insertion(ControlOutboxEvent)}


async def publish(
    uow: UnitOfWork, name: str, *, aggregate: str, aggregate_id: UUID | None, data: Mapping[str, Any]
) -> None:
    """Announce a fact: it is delivered if, and only if, the transaction commits.

    `name` is in the past tense (``projects.created``). `data` holds ids and JSON values that a receiver needs to find
    the rows; receivers read those under their own rights, so it holds no field that somebody may not see.
    """
    await uow.run(
        _INSERT[uow.plane],
        **who(uow),
        id=new_id(),
        tenant_id=uow.tenant_id,
        name=name,
        aggregate_type=aggregate,
        aggregate_id=aggregate_id,
        data=dict(data),
    )
