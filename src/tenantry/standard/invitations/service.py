"""Invitations: a role that is offered by mail, to whoever can read mail at the address. Good once, for a while."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tenantry.access import AccessContext, Principal, RoleDelegation
from tenantry.audit import MASK, record
from tenantry.database import Plane, Row, UnitOfWork
from tenantry.identity import email_key
from tenantry.kernel import Actor, ActorKind, InvalidInput, new_id
from tenantry.query import ListPage, ListRequest
from tenantry.runtime import Mail, Runtime
from tenantry.standard.invitations.repository import INVITATIONS
from tenantry.tenancy import (
    ACCEPT_INVITATION,
    INSERT_INVITATION,
    INSERT_MEMBER,
    INVITATION_FOR,
    IS_MEMBER,
    IS_MEMBER_BY_EMAIL,
    REVOKE_INVITATION,
    REVOKE_INVITATIONS_OF,
    TENANT_BY_ID,
    VERIFIED_USER_BY_ID,
    AlreadyMember,
    EmailNotVerified,
    InvalidInvitation,
    InvitationNotFound,
    Membership,
    NotAMember,
    RoleAboveOwn,
    TenancySettings,
    TenantFacts,
    keys_of_members,
    lock_roles_shared,
)

SendSoon = Callable[[Mail], None]
"""Sends a mail in the background: no answer waits for a mail server."""

ForgetGrants = Callable[[UUID, UUID], Awaitable[None]]
"""Takes away whatever was granted to a person in a tenant (tenant id, user id), in transactions of its own."""

_TOKEN = re.compile(r"([0-9a-f]{32})[A-Za-z0-9_-]{43}")
_BYTES = 32


@dataclass(frozen=True, slots=True)
class InvitationRecord:
    """An open invitation, without its token, which only the mail holds."""

    id: UUID
    email: str
    role: str
    invited_by: UUID | None
    created_at: datetime
    expires_at: datetime


class Invitations:
    """Inviting, taking back, accepting. `roles` says who may give which role."""

    def __init__(
        self,
        runtime: Runtime,
        settings: TenancySettings,
        send_soon: SendSoon,
        *,
        roles: RoleDelegation,
        forget_grants: ForgetGrants,
    ) -> None:
        self._database = runtime.database
        self._clock = runtime.clock
        self._facts = runtime.facts
        self._lifetime = settings.invitation_lifetime
        self._link = settings.invitation_link
        self._send_soon = send_soon
        self._roles = roles
        self._forget_grants = forget_grants

    async def list(self, context: AccessContext, request: ListRequest) -> ListPage:
        """Return a page of the open invitations."""
        async with context.work(Plane.CONTROL) as uow:
            return await INVITATIONS.read(uow, request, tenant_id=context.tenant_id)

    async def invite(self, context: AccessContext, email: str, role: str) -> InvitationRecord:
        """Mail an invitation; an open one for the same address ends. The mail leaves after the commit.

        Raises `AlreadyMember`, `UnknownRole` and `RoleAboveOwn`.
        """
        async with context.work(Plane.CONTROL) as uow:
            await self._roles.require_may_give(uow, context.principal, role)
            invitation, mail = await self._issue(uow, context, email, role)
            uow.after_commit(lambda: self._send_soon(mail))
        return invitation

    async def _issue(
        self, uow: UnitOfWork, context: AccessContext, email: str, role: str
    ) -> tuple[InvitationRecord, Mail]:
        tenant_id, key, now = context.tenant_id, email_key(email), self._clock.now()
        if await uow.value(IS_MEMBER_BY_EMAIL, tenant_id=tenant_id, email_key=key):
            raise AlreadyMember
        await uow.run(REVOKE_INVITATIONS_OF, tenant_id=tenant_id, of_email_key=key, now=now)
        token = f"{tenant_id.hex}{secrets.token_urlsafe(_BYTES)}"
        row = await uow.one(
            INSERT_INVITATION,
            tenant_id=tenant_id,
            id=new_id(),
            email=email,
            email_key=key,
            role=role,
            token_hash=_hashed(token),
            invited_by=context.principal.holder_id,
            expires_at=now + self._lifetime,
        )
        invitation = InvitationRecord(**_present(row))
        after = {"email": MASK, "role": role}
        await record(uow, "invitations.sent", resource_type="invitation", resource_id=invitation.id, after=after)
        tenant = _present(await uow.one(TENANT_BY_ID, tenant_id=tenant_id))
        return invitation, invitation_mail(email, tenant["name"], token, self._link)

    async def revoke(self, context: AccessContext, invitation_id: UUID) -> None:
        """Take an open invitation back. Raises `InvitationNotFound`."""
        async with context.work(Plane.CONTROL) as uow:
            role = await uow.value(
                REVOKE_INVITATION,
                tenant_id=context.tenant_id,
                invitation_id=invitation_id,
                now=self._clock.now(),
            )
            if role is None:
                raise InvitationNotFound
            await record(
                uow,
                "invitations.revoked",
                resource_type="invitation",
                resource_id=invitation_id,
                before={"role": role},
            )

    async def accept(self, user_id: UUID, token: str, *, request_id: str | None = None) -> Membership:
        """Make the person a member by the token of the mail.

        The person's verified address must be the invited one. Who invited must still be a member and may still give the
        role: an invitation is no way to keep a power that was lost. Raises `EmailNotVerified`, `InvalidInvitation` and
        `AlreadyMember`.
        """
        tenant_id = _tenant_of(token)
        actor = Actor(ActorKind.USER, user_id)
        await self._start_afresh(tenant_id, actor, token)
        # The tenant is named by the token alone; nothing of it is read until the token's hash has been found there.
        async with self._database.control_scope(actor=actor, request_id=request_id, tenant_id=tenant_id) as uow:
            await lock_roles_shared(uow, tenant_id)
            user = await uow.one(VERIFIED_USER_BY_ID, user_id=user_id)
            if user is None:
                raise EmailNotVerified
            accepted = await uow.one(
                ACCEPT_INVITATION,
                tenant_id=tenant_id,
                presented_hash=_hashed(token),
                own_email_key=user["email_key"],
                user_id=user_id,
                now=self._clock.now(),
            )
            if accepted is None:
                raise InvalidInvitation
            await self._require_inviter(uow, tenant_id, accepted)
            await uow.run(INSERT_MEMBER, tenant_id=tenant_id, user_id=user_id, role=accepted["role"])
            after = {"role": accepted["role"], "invitation_id": str(accepted["id"])}
            await record(uow, "members.joined", resource_type="member", resource_id=user_id, after=after)
            await self._facts.announce(uow, *keys_of_members(tenant_id, user_id))
            tenant = _present(await uow.one(TENANT_BY_ID, tenant_id=tenant_id))
            return Membership(TenantFacts.of(tenant), accepted["role"])

    async def _start_afresh(self, tenant_id: UUID, actor: Actor, token: str) -> None:
        """Let nobody come back to what they were granted before they left; before the transaction in which they do.

        Only for whoever shows a token that is meant for them: it decides nothing, the acceptance does.
        """
        async with self._database.control_scope(actor=actor, tenant_id=tenant_id) as uow:
            user = await uow.one(VERIFIED_USER_BY_ID, user_id=actor.id)
            if user is None or await uow.value(IS_MEMBER, tenant_id=tenant_id, user_id=actor.id):
                return
            own_email_key = user["email_key"]
            invitation_id = await uow.value(
                INVITATION_FOR, tenant_id=tenant_id, presented_hash=_hashed(token), own_email_key=own_email_key
            )
        if invitation_id is not None:
            await self._forget_grants(tenant_id, user["id"])

    async def _require_inviter(self, uow: UnitOfWork, tenant_id: UUID, accepted: Row) -> None:
        """Refuse what the inviter may not give any more; one without an id is the application itself."""
        invited_by = accepted["invited_by"]
        tenant = TenantFacts.of(_present(await uow.one(TENANT_BY_ID, tenant_id=tenant_id)))
        inviting = Principal.system(tenant)
        if invited_by is not None:
            inviting = Principal(Actor(ActorKind.USER, invited_by), invited_by, tenant, "", frozenset())
        try:
            await self._roles.require_may_give(uow, inviting, accepted["role"])
        except (NotAMember, RoleAboveOwn, InvalidInput):
            raise InvalidInvitation from None


def invitation_mail(to: str, tenant: str, token: str, link: str | None) -> Mail:
    """Return the mail of an invitation; the token stands on a line of its own.

    The tenant's name is chosen by its owners: it stands in the text alone, never in a header.
    """
    return Mail(
        to,
        "You are invited",
        f"You are invited to join {tenant}. Sign in with this e-mail address and accept with\n\n"
        f"    {link or ''}{token}\n\n"
        "If you do not know who invites you, do nothing.",
    )


def _tenant_of(token: str) -> UUID:
    match = _TOKEN.fullmatch(token)
    if match is None:
        raise InvalidInvitation
    return UUID(match[1])


def _hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _present(row: Row | None) -> Row:
    if row is None:  # an INSERT without a condition returns its row, and a referenced tenant exists
        raise LookupError("the statement returned no row")
    return row
