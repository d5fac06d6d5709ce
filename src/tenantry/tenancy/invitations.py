"""Invitations: a role that is offered by mail, to whoever can read mail at the address. Good once, for a while."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tenantry.audit import MASK, record
from tenantry.database import Row, UnitOfWork
from tenantry.identity import email_key
from tenantry.kernel import Actor, ActorKind, new_id
from tenantry.query import ListRequest
from tenantry.runtime import Mail, Runtime
from tenantry.tenancy.acting import Acting, require_rank
from tenantry.tenancy.errors import (
    AlreadyMember,
    EmailNotVerified,
    InvalidInvitation,
    InvitationNotFound,
    RoleAboveOwn,
)
from tenantry.tenancy.facts import Membership, TenantFacts, keys_of_members
from tenantry.tenancy.repository import (
    ACCEPT_INVITATION,
    INSERT_INVITATION,
    INSERT_MEMBER,
    INVITATIONS,
    IS_MEMBER_BY_EMAIL,
    REVOKE_INVITATION,
    REVOKE_INVITATIONS_OF,
    ROLE_OF_MEMBER,
    TENANT_BY_ID,
    VERIFIED_USER_BY_ID,
)
from tenantry.tenancy.roles import Role
from tenantry.tenancy.row_list import ListPage
from tenantry.tenancy.settings import TenancySettings
from tenantry.tenancy.standing import require_standing

SendSoon = Callable[[Mail], None]
"""Sends a mail in the background: no answer waits for a mail server."""

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
    """Inviting, taking back, accepting."""

    def __init__(self, runtime: Runtime, settings: TenancySettings, send_soon: SendSoon) -> None:
        self._database = runtime.database
        self._clock = runtime.clock
        self._facts = runtime.facts
        self._lifetime = settings.invitation_lifetime
        self._link = settings.invitation_link
        self._send_soon = send_soon

    async def list(self, acting: Acting, request: ListRequest) -> ListPage:
        """Return a page of the open invitations."""
        async with self._scope(acting) as uow:
            return await INVITATIONS.read(uow, request, tenant_id=acting.tenant_id)

    async def invite(self, acting: Acting, email: str, role: Role) -> InvitationRecord:
        """Mail an invitation; an open one for the same address ends. Raises `AlreadyMember` and `RoleAboveOwn`."""
        async with self._scope(acting) as uow:
            return await self.issue(uow, acting, email, role)

    async def issue(self, uow: UnitOfWork, acting: Acting, email: str, role: Role) -> InvitationRecord:
        """Do what `invite` does, in a transaction that is open; the mail leaves after its commit."""
        await require_standing(uow, acting, role)
        tenant_id, key, now = acting.tenant_id, email_key(email), self._clock.now()
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
            role=role.value,
            token_hash=_hashed(token),
            invited_by=acting.member_id,
            expires_at=now + self._lifetime,
        )
        invitation = InvitationRecord(**_present(row))
        after = {"email": MASK, "role": role.value}
        await record(uow, "invitations.sent", resource_type="invitation", resource_id=invitation.id, after=after)
        tenant = _present(await uow.one(TENANT_BY_ID, tenant_id=tenant_id))
        mail = invitation_mail(email, tenant["name"], token, self._link)
        uow.after_commit(lambda: self._send_soon(mail))
        return invitation

    async def revoke(self, acting: Acting, invitation_id: UUID) -> None:
        """Take an open invitation back. Raises `InvitationNotFound`."""
        async with self._scope(acting) as uow:
            role = await uow.value(
                REVOKE_INVITATION,
                tenant_id=acting.tenant_id,
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
        # The tenant is named by the token alone; nothing of it is read until the token's hash has been found there.
        async with self._database.control_scope(actor=actor, request_id=request_id, tenant_id=tenant_id) as uow:
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

    async def _require_inviter(self, uow: UnitOfWork, tenant_id: UUID, accepted: Row) -> None:
        if accepted["invited_by"] is None:  # the application itself, or the platform
            return
        own = await uow.value(ROLE_OF_MEMBER, tenant_id=tenant_id, user_id=accepted["invited_by"])
        try:
            require_rank(str(own), accepted["role"])
        except RoleAboveOwn:
            raise InvalidInvitation from None

    def _scope(self, acting: Acting) -> UnitOfWork:
        return self._database.control_scope(
            actor=acting.actor, request_id=acting.request_id, tenant_id=acting.tenant_id
        )


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
