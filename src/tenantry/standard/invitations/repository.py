"""What is asked of invitations besides their list, compiled once. Expiry is decided by the clock of the runtime."""

from __future__ import annotations

from sqlalchemy import Uuid, bindparam, exists, literal, select, update

from tenantry.database import Statement, Timestamp
from tenantry.identity import User
from tenantry.tenancy import Invitation, Member, Tenant, TenantStatus, is_open

invitations = Invitation.__table__.c
members = Member.__table__.c
tenants = Tenant.__table__.c
users = User.__table__.c

_TENANT = bindparam("tenant_id", type_=Uuid)
_NOW = bindparam("now", type_=Timestamp)
_PRESENTED = (
    invitations.tenant_id == _TENANT,
    invitations.token_hash == bindparam("presented_hash"),
    invitations.email_key == bindparam("own_email_key"),
    is_open(Invitation.__table__),
)

IS_MEMBER_BY_EMAIL = Statement(
    select(literal(1))
    .select_from(Member)
    .join(User, users.id == members.user_id)
    .where(members.tenant_id == _TENANT, users.email_key == bindparam("email_key"))
)

INVITATION_FOR = Statement(select(invitations.id).where(*_PRESENTED))

REVOKE_INVITATIONS_OF = Statement(
    update(Invitation)
    .where(
        invitations.tenant_id == _TENANT,
        invitations.email_key == bindparam("of_email_key"),
        is_open(Invitation.__table__),
    )
    .values(revoked_at=_NOW)
)
"""Ends what an address was invited to."""

ACCEPT_INVITATION = Statement(
    update(Invitation)
    .where(
        *_PRESENTED,
        invitations.expires_at > _NOW,
        exists().where(tenants.id == invitations.tenant_id, tenants.status == TenantStatus.ACTIVE.value),
    )
    .values(accepted_at=_NOW, accepted_by=bindparam("user_id", type_=Uuid))
    .returning(invitations.id, invitations.role, invitations.invited_by)
)
"""The one conditional UPDATE of an acceptance: of any number of tries with one token, one changes the row."""
