"""What giving a grant has in common, on a record and on a whole resource: who may give what to whom."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tenantry.access import (
    AccessContext,
    BeyondOwnPermissions,
    Effect,
    GrantExpired,
    PermissionCatalog,
    Principal,
    RoleDelegation,
    SubjectType,
    UnknownPermission,
)
from tenantry.audit import record
from tenantry.database import Plane, Row, UnitOfWork
from tenantry.kernel import FieldError, new_id
from tenantry.runtime import Runtime
from tenantry.standard.grants.directory import Subject, find_subject
from tenantry.standard.grants.repository import MARK_GRANTED
from tenantry.tenancy import tenant_key


@dataclass(frozen=True, slots=True)
class GrantRequest:
    """What is to be granted, as it was asked for."""

    subject_type: SubjectType
    subject_id: str
    action: str
    effect: Effect
    expires_at: datetime | None = None


class GrantWriter:
    """The steps of giving a grant that are the same everywhere."""

    def __init__(self, runtime: Runtime, catalog: PermissionCatalog) -> None:
        self._runtime = runtime
        self._catalog = catalog
        self._roles = RoleDelegation(catalog)

    def check(
        self, principal: Principal, gift: GrantRequest, resources: Iterable[str], *, by_roles: Collection[str] = ()
    ) -> None:
        """Refuse what cannot be granted on these resources, and what the principal cannot give away.

        `by_roles` are permissions that no grant decides: to grant them would be a promise that is not kept, as it would
        be for administering grants. To deny somebody something one need not have it. Raises `UnknownPermission`,
        `GrantExpired` and `BeyondOwnPermissions`.
        """
        resource, _, verb = gift.action.partition(":")
        if resource not in set(resources) or not self._catalog.is_known(gift.action):
            raise _unknown("There is no such action here.")
        if verb == "grant" or gift.action in by_roles:
            raise _unknown("Roles alone decide about this, on every record alike.")
        if gift.expires_at is not None and gift.expires_at <= self._runtime.clock.now():
            raise GrantExpired(errors=[FieldError("/expires_at", "This moment has passed.", "in_the_past")])
        if gift.effect is Effect.ALLOW:
            lacking = sorted(one for one in self._catalog.expand([gift.action]) if not principal.holds(one))
            if lacking:
                raise BeyondOwnPermissions(f"You do not hold {', '.join(lacking)}.")

    async def prepare(self, access: AccessContext, gift: GrantRequest, marks: frozenset[str]) -> Subject:
        """Find the subject, and note that grants may exist, before one does.

        The mark is committed and announced first: no process can miss a grant for longer than it could miss the mark.
        What is allowed to somebody, the giver's roles must hold now: a grant made in the last second of a role would
        outlive it. Raises `UnknownSubject`, `NotAMember` and `BeyondOwnPermissions`.
        """
        tenant = access.principal.tenant
        async with access.work(Plane.CONTROL) as uow:
            if gift.effect is Effect.ALLOW:
                await self._roles.require_holds(uow, access.principal, self._catalog.expand([gift.action]))
            subject = await find_subject(uow, gift.subject_type, gift.subject_id)
            if not marks <= tenant.granted:
                await uow.run(MARK_GRANTED, tenant_id=tenant.id, resources=sorted(marks))
                await self._runtime.facts.announce(uow, tenant_key(tenant.id))
        return subject

    def values(self, principal: Principal, gift: GrantRequest, subject: Subject, resource_type: str) -> dict[str, Any]:
        """Return the parameters of the statement that gives it."""
        return {
            "tenant_id": principal.tenant.id,
            "id": new_id(),
            "resource_type": resource_type,
            "subject_type": subject.type.value,
            "subject_id": subject.id,
            "action": gift.action,
            "effect": gift.effect.value,
            "expires_at": gift.expires_at,
            "created_by": principal.user_id,
            "now": self._runtime.clock.now(),
        }


async def note_forgotten(uow: UnitOfWork, subject_id: UUID, number: int) -> None:
    """Write the audit line about the grants of somebody that were deleted together."""
    await record(uow, "grants.forgotten", resource_type="user", resource_id=subject_id, before={"grants": number})


def _unknown(message: str) -> UnknownPermission:
    return UnknownPermission(errors=[FieldError("/action", message, UnknownPermission.code)])


def trail_of(grant: Row) -> dict[str, Any]:
    """Return a grant as the trail shows it."""
    return {name: _plain(value) for name, value in dict(grant).items() if name not in ("created_at", "created_by")}


def _plain(value: Any) -> Any:
    match value:
        case UUID():
            return str(value)
        case datetime():
            return value.isoformat()
        case _:
            return value
