"""Accepting an invitation: by a person who is in no tenant yet, and knows this one by the token alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

from tenantry.access import Principal, RoleDelegation
from tenantry.audit import record
from tenantry.database import Row, UnitOfWork
from tenantry.kernel import Actor, ActorKind, InvalidInput
from tenantry.runtime import Runtime
from tenantry.standard.invitations.repository import ACCEPT_INVITATION, INVITATION_FOR
from tenantry.standard.invitations.tokens import hashed, tenant_of
from tenantry.tenancy import (
    INSERT_MEMBER,
    IS_MEMBER,
    TENANT_BY_ID,
    VERIFIED_USER_BY_ID,
    AlreadyMember,
    EmailNotVerified,
    InvalidInvitation,
    Membership,
    NotAMember,
    RoleAboveOwn,
    TenantFacts,
    keys_of_members,
    lock_roles_shared,
)

ForgetGrants = Callable[[UUID, UUID], Awaitable[None]]
"""Takes away whatever was granted to a person in a tenant (tenant id, user id), in transactions of its own."""


class Invitations:
    """Lets people in who were invited."""

    def __init__(self, runtime: Runtime, *, forget_grants: ForgetGrants) -> None:
        self._runtime = runtime
        self._forget_grants = forget_grants

    async def accept(self, user_id: UUID, token: str, *, request_id: str | None = None) -> Membership:
        """Make the person a member by the token of the mail.

        The person's verified address must be the invited one. Who invited must still be a member and may still give the
        role: an invitation is no way to keep a power that was lost. Raises `EmailNotVerified`, `InvalidInvitation` and
        `AlreadyMember`.
        """
        tenant_id = tenant_of(token)
        actor = Actor(ActorKind.USER, user_id)
        is_fresh = await self._start_afresh(tenant_id, actor, token)
        # The tenant is named by the token alone; nothing of it is read until the token's hash has been found there.
        scope = self._runtime.database.control_scope(actor=actor, request_id=request_id, tenant_id=tenant_id)
        async with scope as uow:
            await lock_roles_shared(uow, tenant_id)
            accepted = await self._accepted(uow, tenant_id, user_id, token)
            tenant = TenantFacts.of(await uow.exactly_one(TENANT_BY_ID, tenant_id=tenant_id))
            await self._require_inviter(uow, tenant, accepted)
            await uow.run(INSERT_MEMBER, tenant_id=tenant_id, user_id=user_id, role=accepted["role"])
            if not is_fresh:  # they left a moment ago, and what they were granted still stands
                raise AlreadyMember
            after = {"role": accepted["role"], "invitation_id": str(accepted["id"])}
            await record(uow, "members.joined", resource_type="member", resource_id=user_id, after=after)
            await self._runtime.facts.announce(uow, *keys_of_members(tenant_id, user_id))
            return Membership(tenant, accepted["role"])

    async def _accepted(self, uow: UnitOfWork, tenant_id: UUID, user_id: UUID, token: str) -> Row:
        user = await uow.one(VERIFIED_USER_BY_ID, user_id=user_id)
        if user is None:
            raise EmailNotVerified
        accepted = await uow.one(
            ACCEPT_INVITATION,
            tenant_id=tenant_id,
            presented_hash=hashed(token),
            own_email_key=user["email_key"],
            user_id=user_id,
            now=self._runtime.clock.now(),
        )
        if accepted is None:
            raise InvalidInvitation
        return accepted

    async def _start_afresh(self, tenant_id: UUID, actor: Actor, token: str) -> bool:
        """Let nobody come back to what they were granted before they left; tell whether nothing of it stands.

        Only for whoever shows a token that is meant for them: it decides nothing, the acceptance does.
        """
        async with self._runtime.database.control_scope(actor=actor, tenant_id=tenant_id) as uow:
            user = await uow.one(VERIFIED_USER_BY_ID, user_id=actor.id)
            if user is None or await uow.value(IS_MEMBER, tenant_id=tenant_id, user_id=actor.id):
                return False
            own_email_key = user["email_key"]
            invitation_id = await uow.value(
                INVITATION_FOR, tenant_id=tenant_id, presented_hash=hashed(token), own_email_key=own_email_key
            )
        if invitation_id is None:
            return False
        await self._forget_grants(tenant_id, user["id"])
        return True

    async def _require_inviter(self, uow: UnitOfWork, tenant: TenantFacts, accepted: Row) -> None:
        """Refuse what the inviter may not give any more; one without an id is the application itself."""
        invited_by = accepted["invited_by"]
        inviting = Principal.system(tenant)
        if invited_by is not None:
            inviting = Principal(Actor(ActorKind.USER, invited_by), invited_by, tenant, "", frozenset())
        try:
            await RoleDelegation(uow, inviting, self._runtime.permissions).require_may_give(accepted["role"])
        except (NotAMember, RoleAboveOwn, InvalidInput):
            raise InvalidInvitation from None
