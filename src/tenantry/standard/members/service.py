"""Members: who belongs to a tenant, in which role. A tenant keeps an owner, and nobody gives more than they have."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tenantry.access import AccessContext, RoleDelegation
from tenantry.audit import record
from tenantry.database import Plane, Row, UnitOfWork
from tenantry.identity import email_key
from tenantry.kernel import SYSTEM
from tenantry.query import ListPage, ListRequest
from tenantry.runtime import Runtime
from tenantry.standard.invitations.service import ForgetGrants, InvitationRecord, Invitations
from tenantry.standard.members.repository import MEMBERS
from tenantry.tenancy import (
    DELETE_MEMBER,
    INSERT_MEMBER,
    IS_MEMBER,
    LOCK_MEMBERS,
    MEMBER_BY_ID,
    REVOKE_INVITATIONS_OF,
    TENANTS_OF_PERSON,
    UPDATE_MEMBER,
    VERIFIED_USER_BY_EMAIL,
    VERIFIED_USER_BY_ID,
    LastOwner,
    MemberNotFound,
    Role,
    TenantFacts,
    UnknownUser,
    keys_of_members,
    lock_roles_shared,
    team_roles_of,
)

TenantOf = Callable[[UUID], Awaitable[TenantFacts]]
"""Finds a tenant by its id."""


@dataclass(frozen=True, slots=True)
class MemberRecord:
    """A member, as the tenant sees them. `id` is the user's."""

    id: UUID
    user_id: UUID
    name: str
    email: str
    role: str
    teams: list[dict[str, Any]]
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Row) -> MemberRecord:
        """Return the record in a row of the members' columns."""
        return cls(**{**row, "teams": json.loads(row["teams"])})


class Members:
    """The members of one tenant. `roles` says who may give which role."""

    def __init__(
        self,
        runtime: Runtime,
        invitations: Invitations,
        *,
        roles: RoleDelegation,
        forget_grants: ForgetGrants,
        tenant_of: TenantOf,
    ) -> None:
        self._database = runtime.database
        self._clock = runtime.clock
        self._facts = runtime.facts
        self._invitations = invitations
        self._roles = roles
        self._forget_grants = forget_grants
        self._tenant_of = tenant_of
        self._runtime = runtime

    async def list(self, context: AccessContext, request: ListRequest) -> ListPage:
        """Return a page of the members."""
        async with context.work(Plane.CONTROL) as uow:
            return await MEMBERS.read(uow, request, tenant_id=context.tenant_id)

    async def read(self, context: AccessContext, user_id: UUID) -> MemberRecord:
        """Return a member. Raises `MemberNotFound`."""
        async with context.work(Plane.CONTROL) as uow:
            return await _read(uow, context.tenant_id, user_id)

    async def add(self, context: AccessContext, user_id: UUID, role: str) -> MemberRecord:
        """Add a user whose e-mail address is verified.

        Raises `UnknownUser`, `AlreadyMember`, `UnknownRole` and `RoleAboveOwn`.
        """
        await self._start_afresh(context, user_id)
        async with context.work(Plane.CONTROL) as uow:
            await lock_roles_shared(uow, context.tenant_id)
            user = await uow.one(VERIFIED_USER_BY_ID, user_id=user_id)
            if user is None:
                raise UnknownUser
            return await self._insert(uow, context, user, role)

    async def add_by_email(self, context: AccessContext, email: str, role: str) -> MemberRecord | InvitationRecord:
        """Add whoever has this address, if they proved that; otherwise mail an invitation to it.

        An address counts only once verified: else whoever registered a victim's address would be let in when an owner
        adds the victim. Raises `AlreadyMember`, `UnknownRole` and `RoleAboveOwn`.
        """
        async with context.work(Plane.CONTROL) as uow:
            user = await uow.one(VERIFIED_USER_BY_EMAIL, email_key=email_key(email))
        if user is None:
            return await self._invitations.invite(context, email, role)
        return await self.add(context, user["id"], role)

    async def change_role(self, context: AccessContext, user_id: UUID, role: str) -> MemberRecord:
        """Give a member another role.

        Raises `MemberNotFound`, `LastOwner`, `UnknownRole` and `RoleAboveOwn`, the last also for a member who is above
        oneself.
        """
        async with context.work(Plane.CONTROL) as uow:
            before = await self._hold(uow, context, user_id, becomes=role)
            if before != role:
                await uow.run(UPDATE_MEMBER, tenant_id=context.tenant_id, user_id=user_id, new_role=role)
                await record(
                    uow,
                    "members.role_changed",
                    resource_type="member",
                    resource_id=user_id,
                    before={"role": before},
                    after={"role": role},
                )
                await self._facts.announce(uow, *keys_of_members(context.tenant_id, user_id))
            return await _read(uow, context.tenant_id, user_id)

    async def remove(self, context: AccessContext, user_id: UUID) -> None:
        """Remove a member, or leave. Raises as `change_role` does."""
        async with context.work(Plane.CONTROL) as uow:
            before = await self._hold(uow, context, user_id, becomes=None)
            await uow.run(DELETE_MEMBER, tenant_id=context.tenant_id, user_id=user_id)
            await record(uow, "members.removed", resource_type="member", resource_id=user_id, before={"role": before})
            await self._facts.announce(uow, *keys_of_members(context.tenant_id, user_id))

    async def leave_all(self, user_id: UUID) -> None:
        """Take a person who is about to be removed out of every tenant.

        Raises `LastOwner` where a tenant would be left without an owner; then the person has left none.
        """
        async with self._database.control_scope(actor=SYSTEM, user_id=user_id) as uow:
            left = [row["tenant_id"] for row in await uow.all(TENANTS_OF_PERSON, user_id=user_id)]
        places = [AccessContext.system(await self._tenant_of(tenant_id), self._runtime) for tenant_id in left]
        for context in places:
            async with context.work(Plane.CONTROL) as uow:
                await self._hold(uow, context, user_id, becomes=None)
        for context in places:
            await self.remove(context, user_id)

    async def _start_afresh(self, context: AccessContext, user_id: UUID) -> None:
        """Let nobody come back to what they were granted before they left; before the transaction in which they do.

        Only for a person who is no member: the id of a role or a service account would take away what those have.
        """
        async with context.work(Plane.CONTROL) as uow:
            user = await uow.one(VERIFIED_USER_BY_ID, user_id=user_id)
            is_member = await uow.value(IS_MEMBER, tenant_id=context.tenant_id, user_id=user_id)
        if user is not None and not is_member:
            await self._forget_grants(context.tenant_id, user_id)

    async def _insert(self, uow: UnitOfWork, context: AccessContext, user: Row, role: str) -> MemberRecord:
        await self._roles.require_may_give(uow, context.principal, role)
        tenant_id, user_id = context.tenant_id, user["id"]
        await uow.run(INSERT_MEMBER, tenant_id=tenant_id, user_id=user_id, role=role)
        await uow.run(REVOKE_INVITATIONS_OF, tenant_id=tenant_id, of_email_key=user["email_key"], now=self._clock.now())
        await record(uow, "members.added", resource_type="member", resource_id=user_id, after={"role": role})
        await self._facts.announce(uow, *keys_of_members(tenant_id, user_id))
        return await _read(uow, tenant_id, user_id)

    async def _hold(self, uow: UnitOfWork, context: AccessContext, user_id: UUID, *, becomes: str | None) -> str:
        """Lock what a change depends on, refuse what may not happen, and return the member's role."""
        await lock_roles_shared(uow, context.tenant_id)
        rows = await uow.all(
            LOCK_MEMBERS, tenant_id=context.tenant_id, user_id=user_id, acting_id=context.principal.holder_id
        )
        roles = {row["user_id"]: str(row["role"]) for row in rows}
        if user_id not in roles:
            raise MemberNotFound
        others = [row for row in rows if row["user_id"] != user_id and row["is_active"]]
        is_owned = any(row["role"] == Role.OWNER for row in others) or becomes == Role.OWNER
        if roles[user_id] == Role.OWNER and not is_owned:
            raise LastOwner
        if not _needs_no_rank(context, user_id, becomes):
            by_teams = await team_roles_of(uow, context.tenant_id, user_id)
            await self._roles.require_may_take(uow, context.principal, roles[user_id], *by_teams)
        if becomes is not None:
            await self._roles.require_may_give(uow, context.principal, becomes)
        return roles[user_id]


def _needs_no_rank(context: AccessContext, user_id: UUID, becomes: str | None) -> bool:
    """Tell whether it does not matter how high the member stands: the application itself acts, or a person leaves."""
    is_leaving = becomes is None and context.principal.holder_id == user_id and context.principal.ceiling is None
    return context.principal.is_system or is_leaving


async def _read(uow: UnitOfWork, tenant_id: UUID, user_id: UUID) -> MemberRecord:
    row = await uow.one(MEMBER_BY_ID, tenant_id=tenant_id, user_id=user_id)
    if row is None:
        raise MemberNotFound
    return MemberRecord.of(row)
