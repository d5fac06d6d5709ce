"""The rules of members: a tenant keeps an owner, nobody gives or takes more than they have, and everybody may leave."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from tenantry.access import Breadth, Permit, Permits, ResourceAccess, suspend_unanswered
from tenantry.database import Row
from tenantry.resources import Rendered, ResourceDefinition, ResourceService, Write
from tenantry.standard.members.repository import LOCK_MEMBERS, REVOKE_INVITATIONS_TO
from tenantry.standard.members.schemas import MemberRead
from tenantry.tenancy import (
    VERIFIED_USER_BY_ID,
    LastOwner,
    Member,
    MemberNotFound,
    Role,
    UnknownUser,
    keys_of_members,
    lock_roles_shared,
    team_roles_of,
)

ACCESS = ResourceAccess(
    "members",
    Member,
    "member",
    permissions=dict.fromkeys(("create", "update", "delete"), "members:manage"),
    whole=True,
    not_found=MemberNotFound,
)
LEAVING: Permits = (Permit(Breadth.ALL), Permit(Breadth.ALL))
"""What everybody may do with their own membership, whatever their role holds."""


class MemberService(ResourceService):
    """The members of one tenant. To let people in, call `Members.add`, which forgets what they were granted before."""

    resource = ResourceDefinition(ACCESS, read=MemberRead, key="user_id")
    _held: Sequence[Row] = ()

    async def lock(self, verb: str, record_id: UUID | None) -> None:
        """Let no role change its meaning; hold the member, whoever acts, and the owners, always in the same order."""
        tenant_id, acting_id = self.principal.tenant.id, self.principal.holder_id
        await lock_roles_shared(self.uow, tenant_id)
        if record_id is not None:
            self._held = await self.uow.all(LOCK_MEMBERS, tenant_id=tenant_id, user_id=record_id, acting_id=acting_id)

    def permits(self, verb: str, record_id: UUID) -> Permits | None:
        """Everybody may leave; by a key with a scope they need the permission to manage members, like others."""
        leaves = verb == "delete" and record_id == self.principal.holder_id and self.principal.ceiling is None
        return LEAVING if leaves else None

    async def check_create(self, write: Write) -> None:
        """Refuse who is no user with a verified address, and a role that whoever acts may not give."""
        if await self.uow.one(VERIFIED_USER_BY_ID, user_id=write.values["user_id"]) is None:
            raise UnknownUser
        await self.delegation.require_may_give(write.values["role"])

    async def check_update(self, write: Write) -> None:
        """Refuse to touch a member who is above whoever acts, and to give a role that they may not give."""
        await self._require_may_take(write.before)
        await self.delegation.require_may_give(write.after("role"))

    async def check_delete(self, write: Write) -> None:
        """Refuse to remove a member who is above whoever acts, but for whoever leaves."""
        if write.before["user_id"] != self.principal.holder_id or self.principal.ceiling is not None:
            await self._require_may_take(write.before)

    async def conflict(self, write: Write) -> None:
        """Refuse to take the last owner."""
        if write.verb != "create":
            becomes = write.after("role") if write.verb == "update" else None
            self._require_owner(write.before["user_id"], becomes=becomes)

    async def require_removable(self, user_id: UUID) -> None:
        """Raise `LastOwner` where the tenant would be left without an owner, whoever removes the person."""
        await self.lock("delete", user_id)
        self._require_owner(user_id, becomes=None)

    def announced(self, write: Write, record_id: UUID) -> Iterable[str]:
        """The membership, and how many there are."""
        return keys_of_members(self.principal.tenant.id, record_id)

    async def after(self, write: Write, record: Rendered) -> None:
        """Suspend the service accounts that somebody who falls or goes answered for, and end what they were invited to.

        A member needs no invitation, and nobody comes back by an old one.
        """
        if write.verb != "create":
            await suspend_unanswered(self.uow, self.runtime, self.principal.tenant, record.id)
        if write.verb != "update":
            tenant_id, now = self.principal.tenant.id, self.runtime.clock.now()
            await self.uow.run(REVOKE_INVITATIONS_TO, tenant_id=tenant_id, user_id=record.id, now=now)

    def action(self, happened: str) -> str:
        """The names that the trail has always had."""
        return {
            "created": "members.added",
            "updated": "members.role_changed",
            "deleted": "members.removed",
        }[happened]

    async def _require_may_take(self, member: Row) -> None:
        by_teams = await team_roles_of(self.uow, self.principal.tenant.id, member["user_id"])
        await self.delegation.require_may_take(member["role"], *by_teams)

    def _require_owner(self, user_id: UUID, *, becomes: str | None) -> None:
        """Refuse to take an owner who is the only one; others count as long as their account is open."""
        owners = {row["user_id"]: row["is_active"] for row in self._held if row["role"] == Role.OWNER}
        is_taken = user_id in owners and becomes != Role.OWNER
        if is_taken and not any(active for other, active in owners.items() if other != user_id):
            raise LastOwner
