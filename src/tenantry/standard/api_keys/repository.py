"""Every statement of API keys that is none of the engine's, compiled once. Each names its tenant."""

from __future__ import annotations

from sqlalchemy import Uuid, bindparam, func, or_, select

from tenantry.access import ApiKey, ServiceAccount
from tenantry.database import Statement, Timestamp
from tenantry.tenancy import Member

keys = ApiKey.__table__.c
accounts = ServiceAccount.__table__.c
members = Member.__table__.c

_TENANT = bindparam("tenant_id", type_=Uuid)
_USER = bindparam("user_id", type_=Uuid)
_ACCOUNT = bindparam("service_account_id", type_=Uuid)

COUNT_LIVE = Statement(
    select(func.count())
    .select_from(ApiKey)
    .where(
        keys.tenant_id == _TENANT,
        or_(keys.user_id == _USER, keys.service_account_id == _ACCOUNT),
        or_(keys.expires_at.is_(None), keys.expires_at > bindparam("now", type_=Timestamp)),
    )
)

HOLD_MEMBER = Statement(
    select(members.role).where(members.tenant_id == _TENANT, members.user_id == _USER).with_for_update(key_share=True)
)
"""Holds the membership that keys are made for: whoever counts them counts alone, and the membership stays."""

HOLD_ACCOUNT = Statement(
    select(accounts.role).where(accounts.tenant_id == _TENANT, accounts.id == _ACCOUNT).with_for_update(key_share=True)
)
"""Holds an account while its keys are counted; its role is what a key of it could give."""
