"""Grants on records: whoever administers a resource gives and takes them, and no grant decides who does."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from tenantry.access import (
    SUBJECTS,
    AccessContext,
    Breadth,
    GrantExists,
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
from tenantry.database import Row, UnitOfWork
from tenantry.events import publish
from tenantry.kernel import SYSTEM
from tenantry.query import ListPage, ListRequest
from tenantry.runtime import Runtime
from tenantry.standard.grants.grant_writer import GrantRequest, GrantWriter, note_forgotten, trail_of
from tenantry.standard.grants.repository import COUNT_OF_RECORD, FORGET_SUBJECT, GIVE, LOCK_COUNTED, OF_RECORD, TAKE
from tenantry.tenancy import TenantFacts

MAX_GRANTS = 1_000
"""Grants on one record."""


class RecordGrants:
    """Grants on the records of every grantable resource. `below` names the resources under each.

    `fields` are the permissions of restricted fields, which are shown on every record or on none.
    """

    def __init__(
        self, runtime: Runtime, giving: GrantWriter, below: Mapping[str, frozenset[str]], fields: frozenset[str]
    ) -> None:
        self._runtime = runtime
        self._giving = giving
        self._below = below
        self._fields = fields

    async def list(self, access: AccessContext, of: ResourceAccess, record_id: UUID, request: ListRequest) -> ListPage:
        """Return a page of the grants on a record, expired ones too. Raises `RecordNotFound`, `NotPermitted`."""
        async with access.work() as uow:
            await _require_admin(uow, access.principal, of, record_id)
            return await OF_RECORD.read(uow, request, record_id=record_id)

    async def give(self, access: AccessContext, of: ResourceAccess, record_id: UUID, gift: GrantRequest) -> Row:
        """Grant something on a record and what lies below it; return the grant.

        Raises as `list` does, then `UnknownPermission`, `GrantExpired`, `BeyondOwnPermissions`, `UnknownSubject`,
        `GrantExists` and `TooManyGrants`.
        """
        principal = access.principal
        async with access.work() as uow:
            await _require_admin(uow, principal, of, record_id)
        self._giving.check(principal, gift, self._below[of.resource], by_roles=self._fields)
        marks = frozenset({gift.action.partition(":")[0]})
        subject = await self._giving.prepare(access, gift, marks)
        values = self._giving.values(principal, gift, subject, of.singular)
        async with access.work() as uow:
            await _require_admin(uow, principal, of, record_id)
            await uow.run(LOCK_COUNTED, counted=f"tenantry.grants:{record_id}")
            if await uow.value(COUNT_OF_RECORD, record_id=record_id) >= MAX_GRANTS:
                raise TooManyGrants(f"A {of.singular} takes {MAX_GRANTS} grants.")
            grant = await uow.one(GIVE, record_id=record_id, **values)
            if grant is None:
                raise GrantExists
            await _note(uow, "grants.given", of, grant, after=grant)
        return grant

    async def take(self, access: AccessContext, of: ResourceAccess, record_id: UUID, grant_id: UUID) -> None:
        """Take a grant back. Raises as `list` does, and `GrantNotFound`."""
        async with access.work() as uow:
            await _require_admin(uow, access.principal, of, record_id)
            grant = await uow.one(TAKE, record_id=record_id, grant_id=grant_id)
            if grant is None:
                raise GrantNotFound
            await _note(uow, "grants.taken", of, grant, before=grant)

    async def forget(self, tenant: TenantFacts, subject_id: UUID) -> None:
        """Delete every grant of a subject on records."""
        scope = self._runtime.database.tenant_scope(tenant.id, tenant.placement, actor=SYSTEM, request_id=None)
        async with scope as uow:
            if number := await uow.run(FORGET_SUBJECT, subject_id=subject_id):
                await note_forgotten(uow, subject_id, number)


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


async def _note(
    uow: UnitOfWork,
    happened: str,
    of: ResourceAccess,
    grant: Row,
    *,
    before: Row | None = None,
    after: Row | None = None,
) -> None:
    """Write the audit line and the event, on the record that the grant is on."""
    record_id = grant["record_id"]
    await record(
        uow,
        happened,
        resource_type=of.singular,
        resource_id=record_id,
        before=trail_of(before) if before else None,
        after=trail_of(after) if after else None,
    )
    data = {"id": str(record_id), "grant_id": str(grant["id"])}
    await publish(uow, happened, aggregate=of.singular, aggregate_id=record_id, data=data)
