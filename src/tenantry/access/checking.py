"""Asking the rule about one record, for whatever is no read or write of its own: commands, grants, parents."""

from __future__ import annotations

from functools import lru_cache
from uuid import UUID

from sqlalchemy import bindparam, exists, select

from tenantry.access.errors import NotPermitted
from tenantry.access.granted import SUBJECTS
from tenantry.access.permit import Permit, Permits
from tenantry.access.principal import Principal
from tenantry.access.resource import ResourceAccess
from tenantry.database import Statement, UnitOfWork
from tenantry.kernel import ConfigurationError

_KEPT = 1024


@lru_cache(maxsize=_KEPT)
def existence(access: ResourceAccess, read: Permits) -> Statement:
    """Whether one record is visible. Parameters: ``id``, and the subjects where the permits ask for them."""
    table = access.table
    found = exists().where(table.c.id == bindparam("id"), access.visible(table, read))
    return Statement(select(found))


@lru_cache(maxsize=_KEPT)
def permission(access: ResourceAccess, verb: str, permits: Permits) -> Statement:
    """Whether a verb is allowed on one record; no row where it is not visible. Parameters as of `existence`."""
    table = access.table
    allowed = access.allowed(verb, permits, table).label("allowed")
    return Statement(select(allowed).where(table.c.id == bindparam("id"), access.visible(table, permits[1:])))


@lru_cache(maxsize=_KEPT)
def addition(access: ResourceAccess, permit: Permit, read: Permits) -> Statement:
    """Whether a record may be added to one parent that is visible. Parameters as of `existence`, of the parent."""
    if access.parent is None:
        raise ConfigurationError(f"{access.resource} has no parent")
    above, table = access.parent.access, access.parent.access.table
    found = exists().where(table.c.id == bindparam("id"), above.visible(table, read), access.addable(permit, table))
    return Statement(select(found))


async def require_on_record(
    uow: UnitOfWork, principal: Principal, access: ResourceAccess, verb: str, record_id: UUID
) -> None:
    """Refuse a verb on a record: `RecordNotFound` where the principal does not see it, else `NotPermitted`.

    One round trip, in the transaction of what is to be done.
    """
    statement = permission(access, verb, access.permits(principal, verb))
    allowed = await uow.value(statement, id=record_id, **{SUBJECTS: principal.subjects})
    if allowed is None:
        raise access.not_found(f"{access.singular.capitalize()} {record_id} not found.")
    if not allowed:
        raise refusal(access, verb, record_id)


def require_anywhere(principal: Principal, access: ResourceAccess, verb: str) -> None:
    """Raise `NotPermitted` for a verb that is allowed on no record, now or ever."""
    if access.permit(principal, verb).is_nothing:
        raise refusal(access, verb)


def refusal(access: ResourceAccess, verb: str, record_id: UUID | None = None) -> NotPermitted:
    """Return the refusal of a verb, on a record that is visible, or on none in particular."""
    name, asked = access.singular, access.permission(verb)
    detail = f"This needs the permission {asked}."
    if record_id is not None:
        detail = f"You may see this {name}, but not {verb} it."
    return NotPermitted(detail, permission=asked, resource_type=name, record_id=record_id)
