"""Members: who belongs to a tenant, in which role. A tenant keeps an owner, and nobody gives more than they have."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tenantry.audit import record
from tenantry.database import Row, UnitOfWork
from tenantry.identity import email_key
from tenantry.kernel import SYSTEM
from tenantry.query import ListRequest
from tenantry.runtime import Runtime
from tenantry.tenancy.actor import Acting
from tenantry.tenancy.authority import RoleAuthority
from tenantry.tenancy.errors import LastOwner, MemberNotFound, UnknownUser
from tenantry.tenancy.facts import keys_of_members
from tenantry.tenancy.invitations import ForgetGrants, InvitationRecord, Invitations
from tenantry.tenancy.repository import (
    DELETE_MEMBER,
    INSERT_MEMBER,
    IS_MEMBER,
    LOCK_MEMBERS,
    MEMBER_BY_ID,
    MEMBERS,
    REVOKE_INVITATIONS_OF,
    TENANTS_OF_PERSON,
    UPDATE_MEMBER,
    VERIFIED_USER_BY_EMAIL,
    VERIFIED_USER_BY_ID,
)
from tenantry.tenancy.role_lock import lock_roles_shared
from tenantry.tenancy.roles import Role
from tenantry.tenancy.row_list import ListPage
from tenantry.tenancy.teams.reading import team_roles_of


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
        self, runtime: Runtime, invitations: Invitations, *, roles: RoleAuthority, forget_grants: ForgetGrants
    ) -> None:
        self._database = runtime.database
        self._clock = runtime.clock
        self._facts = runtime.facts
        self._invitations = invitations
        self._roles = roles
        self._forget_grants = forget_grants

    async def list(self, acting: Acting, request: ListRequest) -> ListPage:
        """Return a page of the members."""
        async with self._scope(acting) as uow:
            return await MEMBERS.read(uow, request, tenant_id=acting.tenant_id)

    async def read(self, acting: Acting, user_id: UUID) -> MemberRecord:
        """Return a member. Raises `MemberNotFound`."""
        async with self._scope(acting) as uow:
            return await _read(uow, acting.tenant_id, user_id)

    async def add(self, acting: Acting, user_id: UUID, role: str) -> MemberRecord:
        """Add a user whose e-mail address is verified.

        Raises `UnknownUser`, `AlreadyMember`, `UnknownRole` and `RoleAboveOwn`.
        """
        await self._start_afresh(acting, user_id)
        async with self._scope(acting) as uow:
            await lock_roles_shared(uow, acting.tenant_id)
            user = await uow.one(VERIFIED_USER_BY_ID, user_id=user_id)
            if user is None:
                raise UnknownUser
            return await self._insert(uow, acting, user, role)

    async def add_by_email(self, acting: Acting, email: str, role: str) -> MemberRecord | InvitationRecord:
        """Add whoever has this address, if they proved that; otherwise mail an invitation to it.

        An address counts only once verified: else whoever registered a victim's address would be let in when an owner
        adds the victim. Raises `AlreadyMember`, `UnknownRole` and `RoleAboveOwn`.
        """
        async with self._scope(acting) as uow:
            user = await uow.one(VERIFIED_USER_BY_EMAIL, email_key=email_key(email))
        if user is None:
            return await self._invitations.invite(acting, email, role)
        return await self.add(acting, user["id"], role)

    async def change_role(self, acting: Acting, user_id: UUID, role: str) -> MemberRecord:
        """Give a member another role.

        Raises `MemberNotFound`, `LastOwner`, `UnknownRole` and `RoleAboveOwn`, the last also for a member who is above
        oneself.
        """
        async with self._scope(acting) as uow:
            before = await self._hold(uow, acting, user_id, becomes=role)
            if before != role:
                await uow.run(UPDATE_MEMBER, tenant_id=acting.tenant_id, user_id=user_id, new_role=role)
                await record(
                    uow,
                    "members.role_changed",
                    resource_type="member",
                    resource_id=user_id,
                    before={"role": before},
                    after={"role": role},
                )
                await self._facts.announce(uow, *keys_of_members(acting.tenant_id, user_id))
            return await _read(uow, acting.tenant_id, user_id)

    async def remove(self, acting: Acting, user_id: UUID) -> None:
        """Remove a member, or leave. Raises as `change_role` does."""
        async with self._scope(acting) as uow:
            before = await self._hold(uow, acting, user_id, becomes=None)
            await uow.run(DELETE_MEMBER, tenant_id=acting.tenant_id, user_id=user_id)
            await record(uow, "members.removed", resource_type="member", resource_id=user_id, before={"role": before})
            await self._facts.announce(uow, *keys_of_members(acting.tenant_id, user_id))

    async def leave_all(self, user_id: UUID) -> None:
        """Take a person who is about to be removed out of every tenant.

        Raises `LastOwner` where a tenant would be left without an owner; then the person has left none.
        """
        async with self._database.control_scope(actor=SYSTEM, user_id=user_id) as uow:
            places = [Acting.as_system(row["tenant_id"]) for row in await uow.all(TENANTS_OF_PERSON, user_id=user_id)]
        for acting in places:
            async with self._scope(acting) as uow:
                await self._hold(uow, acting, user_id, becomes=None)
        for acting in places:
            await self.remove(acting, user_id)

    async def _start_afresh(self, acting: Acting, user_id: UUID) -> None:
        """Let nobody come back to what they were granted before they left; before the transaction in which they do.

        Only for a person who is no member: the id of a role or a service account would take away what those have.
        """
        async with self._scope(acting) as uow:
            user = await uow.one(VERIFIED_USER_BY_ID, user_id=user_id)
            is_member = await uow.value(IS_MEMBER, tenant_id=acting.tenant_id, user_id=user_id)
        if user is not None and not is_member:
            await self._forget_grants(acting.tenant_id, user_id)

    async def _insert(self, uow: UnitOfWork, acting: Acting, user: Row, role: str) -> MemberRecord:
        await self._roles.require_may_give(uow, acting, role)
        tenant_id, user_id = acting.tenant_id, user["id"]
        await uow.run(INSERT_MEMBER, tenant_id=tenant_id, user_id=user_id, role=role)
        await uow.run(REVOKE_INVITATIONS_OF, tenant_id=tenant_id, of_email_key=user["email_key"], now=self._clock.now())
        await record(uow, "members.added", resource_type="member", resource_id=user_id, after={"role": role})
        await self._facts.announce(uow, *keys_of_members(tenant_id, user_id))
        return await _read(uow, tenant_id, user_id)

    async def _hold(self, uow: UnitOfWork, acting: Acting, user_id: UUID, *, becomes: str | None) -> str:
        """Lock what a change depends on, refuse what may not happen, and return the member's role."""
        await lock_roles_shared(uow, acting.tenant_id)
        rows = await uow.all(LOCK_MEMBERS, tenant_id=acting.tenant_id, user_id=user_id, acting_id=acting.holder_id)
        roles = {row["user_id"]: str(row["role"]) for row in rows}
        if user_id not in roles:
            raise MemberNotFound
        others = [row for row in rows if row["user_id"] != user_id and row["is_active"]]
        is_owned = any(row["role"] == Role.OWNER for row in others) or becomes == Role.OWNER
        if roles[user_id] == Role.OWNER and not is_owned:
            raise LastOwner
        if not _needs_no_rank(acting, user_id, becomes):
            by_teams = await team_roles_of(uow, acting.tenant_id, user_id)
            await self._roles.require_may_take(uow, acting, roles[user_id], *by_teams)
        if becomes is not None:
            await self._roles.require_may_give(uow, acting, becomes)
        return roles[user_id]

    def _scope(self, acting: Acting) -> UnitOfWork:
        return self._database.control_scope(
            actor=acting.actor, request_id=acting.request_id, tenant_id=acting.tenant_id
        )


def _needs_no_rank(acting: Acting, user_id: UUID, becomes: str | None) -> bool:
    """Tell whether it does not matter how high the member stands: the application itself acts, or a person leaves."""
    is_leaving = becomes is None and acting.holder_id == user_id and acting.ceiling is None
    return acting.is_system or is_leaving


async def _read(uow: UnitOfWork, tenant_id: UUID, user_id: UUID) -> MemberRecord:
    row = await uow.one(MEMBER_BY_ID, tenant_id=tenant_id, user_id=user_id)
    if row is None:
        raise MemberNotFound
    return MemberRecord.of(row)
