"""Grants on records: whoever administers a resource gives and takes them, and no grant decides who does."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from tenantry.access import (
    SUBJECTS,
    AccessContext,
    Breadth,
    GrantNotFound,
    Permit,
    Principal,
    RecordNotFound,
    ResourceAccess,
    TooManyGrants,
    existence,
    refusal,
)
from tenantry.audit import record
from tenantry.database import Plane, UnitOfWork
from tenantry.events import publish
from tenantry.kernel import ExpectedVersion, new_id, require_version
from tenantry.query import ListPage, ListRequest
from tenantry.standard.grants.directory import Subject, find_subject
from tenantry.standard.grants.grant_writer import GrantWriter, mark_granted
from tenantry.standard.grants.repository import GIVE, LOCK_COUNTED, OF_RECORD, ON_RECORDS, TAKE
from tenantry.standard.grants.schemas import GrantCreate, GrantRead

MAX_GRANTS = 1_000
"""Grants on one record."""


class RecordGrants:
    """Grants on the records of every grantable resource among `resources`, those of an application."""

    def __init__(self, resources: Iterable[ResourceAccess]) -> None:
        declared = tuple(resources)
        self._below = {
            above.resource: {one.resource for one in declared if above in tuple(one.above)} for above in declared
        }
        self._fields = {permission for one in declared for permission in one.restricted.values()}
        """The permissions of restricted fields, which are shown on every record or on none."""

    async def list(self, access: AccessContext, of: ResourceAccess, record_id: UUID, request: ListRequest) -> ListPage:
        """Return a page of the grants on a record, expired ones too. Raises `RecordNotFound`, `NotPermitted`."""
        async with access.work() as uow:
            await _require_admin(uow, access.principal, of, record_id)
            return await OF_RECORD.read(uow, request, record_id=record_id)

    async def prepare(self, access: AccessContext, of: ResourceAccess, record_id: UUID, asked: GrantCreate) -> Subject:
        """Refuse what may not be given, and note that grants may exist before one does; return to whom it is given.

        Raises as `list` does, then `UnknownPermission`, `GrantExpired`, `UnknownSubject`, `BeyondOwnPermissions` and
        `NotAMember`.
        """
        principal = access.principal
        async with access.work() as uow:
            await _require_admin(uow, principal, of, record_id)
        writer = GrantWriter(principal, access.runtime)
        writer.require_sensible(asked, self._below[of.resource], by_roles=self._fields)
        async with access.work(Plane.CONTROL) as uow:
            subject = await find_subject(uow, asked.subject_type, asked.subject_id)
            await writer.require_held(uow, asked.action, asked.effect)
            await mark_granted(uow, access.runtime, principal.tenant, {asked.action.partition(":")[0]})
        return subject

    async def give(
        self,
        uow: UnitOfWork,
        access: AccessContext,
        of: ResourceAccess,
        record_id: UUID,
        asked: GrantCreate,
        subject: Subject,
    ) -> GrantRead:
        """Grant something on a record and what lies below it, to the subject that `prepare` returned.

        Raises as `list` does, `TooManyGrants` and `GrantExists`.
        """
        await _require_admin(uow, access.principal, of, record_id)
        await uow.run(LOCK_COUNTED, counted=f"tenantry.grants:{record_id}")
        columns = GrantWriter(access.principal, access.runtime).columns(asked, subject, of.singular)
        new = columns | {"tenant_id": access.tenant_id, "record_id": record_id}
        if await uow.value(ON_RECORDS.make_room, **new, now=access.runtime.clock.now()) >= MAX_GRANTS:
            raise TooManyGrants(f"A {of.singular} takes {MAX_GRANTS} grants.")
        row = await uow.exactly_one(GIVE, **new, id=new_id(), created_by=access.principal.user_id)
        grant = GrantRead(**dict(row))
        await _note(uow, "grants.given", of, grant)
        return grant

    async def take(
        self,
        access: AccessContext,
        of: ResourceAccess,
        record_id: UUID,
        grant_id: UUID,
        *,
        expected: ExpectedVersion = None,
    ) -> None:
        """Take a grant back. Raises as `list` does, `GrantNotFound`, and `StaleVersion`: a grant counts no changes."""
        async with access.work() as uow:
            await _require_admin(uow, access.principal, of, record_id)
            row = await uow.one(TAKE, record_id=record_id, grant_id=grant_id)
            if row is None:
                raise GrantNotFound
            require_version("grant", None, expected)
            await _note(uow, "grants.taken", of, GrantRead(**dict(row)))


async def _require_admin(uow: UnitOfWork, principal: Principal, of: ResourceAccess, record_id: UUID) -> None:
    """Refuse whoever may not administer the grants of a record: 404 where they do not see it, else 403.

    An administrator needs not see it: a deny on oneself must be possible to take back.
    """
    administers = of.administers(principal)
    read = tuple(Permit(Breadth.ALL) for _ in of.above) if administers else of.read_permits(principal)
    values = {"id": record_id, SUBJECTS: principal.subjects}
    if not await uow.value(existence(of, read), **values):
        raise RecordNotFound(f"{of.singular.capitalize()} {record_id} not found.")
    if not administers:
        raise refusal(of, "grant", record_id)


async def _note(uow: UnitOfWork, happened: str, of: ResourceAccess, grant: GrantRead) -> None:
    """Write the audit line and the event, on the record that the grant is on."""
    shown = grant.model_dump(mode="json", exclude={"created_at", "created_by"})
    before, after = (None, shown) if happened == "grants.given" else (shown, None)
    await record(uow, happened, resource_type=of.singular, resource_id=grant.record_id, before=before, after=after)
    data = {"id": str(grant.record_id), "grant_id": str(grant.id)}
    await publish(uow, happened, aggregate=of.singular, aggregate_id=grant.record_id, data=data)
