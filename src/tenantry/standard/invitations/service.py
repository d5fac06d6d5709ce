"""The rules of invitations: a role, offered by mail to whoever can read mail at the address. Good once, for a while."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tenantry.access import ResourceAccess
from tenantry.identity import email_key
from tenantry.kernel import ExpectedVersion
from tenantry.resources import Change, Rendered, ResourceDefinition, ResourceService, Write
from tenantry.runtime import Mail
from tenantry.standard.invitations.repository import IS_MEMBER_BY_EMAIL, REVOKE_INVITATIONS_OF
from tenantry.standard.invitations.schemas import InvitationRead
from tenantry.standard.invitations.tokens import hashed, new_token
from tenantry.tenancy import (
    AlreadyMember,
    Invitation,
    InvitationNotFound,
    TenancySettings,
    is_open,
    lock_roles_shared,
)

ACCESS = ResourceAccess(
    "invitations",
    Invitation,
    "invitation",
    permissions=dict.fromkeys(("read", "create", "delete"), "members:manage"),
    whole=True,
    not_found=InvitationNotFound,
    exists_when=is_open,
)


class InvitationService(ResourceService):
    """The open invitations of one tenant. Only a hash of the token is kept; the token is in the mail alone."""

    resource = ResourceDefinition(ACCESS, read=InvitationRead)
    _token = ""

    async def lock(self, verb: str, record_id: UUID | None) -> None:
        """Let no role change its meaning."""
        await lock_roles_shared(self.uow, self.principal.tenant.id)

    async def values(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Add the address as it is compared, what is kept of the token, who invites, and until when."""
        self._token = new_token(self.principal.tenant.id)
        return fields | {
            "email_key": email_key(fields["email"]),
            "token_hash": hashed(self._token),
            "invited_by": self.principal.holder_id,
            "expires_at": self.runtime.clock.now() + self._settings.invitation_lifetime,
        }

    async def check_create(self, write: Write) -> None:
        """Refuse a role that whoever acts may not give."""
        await self.delegation.require_may_give(write.values["role"])

    async def check_delete(self, write: Write) -> None:
        """Refuse nothing: to take back an offer is to take nothing from anybody."""

    async def conflict(self, write: Write) -> None:
        """Refuse to invite a member; end an open invitation for the same address, which the new one replaces."""
        if write.verb == "create":
            tenant_id, key = self.principal.tenant.id, write.values["email_key"]
            if await self.uow.value(IS_MEMBER_BY_EMAIL, tenant_id=tenant_id, email_key=key):
                raise AlreadyMember
            now = self.runtime.clock.now()
            await self.uow.run(REVOKE_INVITATIONS_OF, tenant_id=tenant_id, of_email_key=key, now=now)

    async def after(self, write: Write, record: Rendered) -> None:
        """Send the mail, after the commit."""
        if write.verb == "create":
            link, tenant = self._settings.invitation_link, self.principal.tenant.name
            mail = invitation_mail(write.values["email"], tenant, self._token, link)
            self.runtime.courier.send_after(self.uow, mail)

    async def delete(
        self,
        record_id: UUID,
        *,
        expected: ExpectedVersion = None,
        hard: bool = False,
        parent_id: UUID | None = None,
    ) -> Rendered:
        """Take an open invitation back. Raises `InvitationNotFound`."""
        values = {"revoked_at": self.runtime.clock.now()}
        return await self._write(
            record_id, Change.SET, "delete", "revoked", values=values, expected=expected, parent_id=parent_id
        )

    def action(self, happened: str) -> str:
        """An invitation is sent."""
        return super().action("sent" if happened == "created" else happened)

    @property
    def _settings(self) -> TenancySettings:
        return self.runtime.settings[TenancySettings]


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
