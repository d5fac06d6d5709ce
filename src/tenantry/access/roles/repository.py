"""What is asked of roles while it is decided who may do what, compiled once. Each statement names its tenant."""

from __future__ import annotations

from sqlalchemy import Uuid, bindparam, func, or_, select

from tenantry.access.models import CustomRole, Effect, ServiceAccount, SubjectType, TypeGrant
from tenantry.database import Statement

roles = CustomRole.__table__.c
accounts = ServiceAccount.__table__.c
type_grants = TypeGrant.__table__.c

_TENANT = bindparam("tenant_id", type_=Uuid)

ALL_ROLES = Statement(
    select(roles.id, roles.name, roles.counts_as, roles.permissions).where(roles.tenant_id == _TENANT)
)

ROLE_OF_ACCOUNT = Statement(
    select(accounts.role)
    .where(accounts.tenant_id == _TENANT, accounts.id == bindparam("account_id", type_=Uuid))
    .with_for_update(read=True)
)

ALLOWED_TO_ROLES = Statement(
    select(type_grants.subject_id, type_grants.action).where(
        type_grants.tenant_id == _TENANT,
        type_grants.subject_type == SubjectType.ROLE.value,
        type_grants.effect == Effect.ALLOW.value,
        or_(type_grants.expires_at.is_(None), type_grants.expires_at > func.now()),
    )
)
