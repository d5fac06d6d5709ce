"""Every statement of API keys, compiled once, and their list. Each names its tenant."""

from __future__ import annotations

from sqlalchemy import Boolean, Uuid, and_, bindparam, delete, func, insert, or_, select

from tenantry.access import ApiKey, ServiceAccount
from tenantry.database import Statement, Timestamp
from tenantry.query import RowList
from tenantry.tenancy import Member

keys = ApiKey.__table__.c
accounts = ServiceAccount.__table__.c
members = Member.__table__.c

_NOW = bindparam("now", type_=Timestamp)
_TENANT = bindparam("tenant_id", type_=Uuid)
_KEY_ID = bindparam("key_id", type_=Uuid)
_ACCOUNT_ID = bindparam("account_id", type_=Uuid)
_KEY = (
    keys.id,
    keys.name,
    keys.prefix,
    keys.user_id,
    keys.service_account_id,
    keys.role,
    keys.permissions,
    keys.created_by,
    keys.created_at,
    keys.expires_at,
    keys.last_used_at,
)
_ACCOUNT = (
    accounts.id,
    accounts.name,
    accounts.role,
    accounts.created_by,
    accounts.created_at,
    accounts.updated_at,
    accounts.version,
)
_ACTS_FOR = func.coalesce(keys.user_id, keys.service_account_id)
_IS_IN_REACH = or_(
    bindparam("reaches_all", type_=Boolean),
    bindparam("own_id", type_=Uuid) == _ACTS_FOR,
    and_(bindparam("reaches_accounts", type_=Boolean), keys.service_account_id.is_not(None)),
)
"""Which keys somebody reaches; see `KeysInReach`."""

API_KEYS = RowList(
    select(*_KEY).where(keys.tenant_id == _TENANT, _IS_IN_REACH),
    filters={"user_id", "service_account_id", "created_at", "expires_at", "last_used_at"},
    sorts={"name", "created_at", "expires_at", "last_used_at"},
    search={"name", "prefix"},
    default_sort="-created_at",
)

KEY_BY_ID = Statement(select(*_KEY).where(keys.tenant_id == _TENANT, keys.id == _KEY_ID, _IS_IN_REACH))

INSERT_KEY = Statement(
    insert(ApiKey)
    .values(
        tenant_id=_TENANT,
        id=_KEY_ID,
        name=bindparam("name"),
        user_id=bindparam("user_id"),
        service_account_id=bindparam("service_account_id"),
        role=bindparam("role"),
        permissions=bindparam("permissions"),
        prefix=bindparam("prefix"),
        secret_hash=bindparam("secret_hash"),
        created_by=bindparam("created_by"),
        created_at=_NOW,
        expires_at=bindparam("expires_at"),
    )
    .returning(*_KEY),
    writes=True,
)

DELETE_KEY = Statement(delete(ApiKey).where(keys.tenant_id == _TENANT, keys.id == _KEY_ID), writes=True)

COUNT_LIVE = Statement(
    select(func.count())
    .select_from(ApiKey)
    .where(
        keys.tenant_id == _TENANT,
        or_(
            keys.user_id == bindparam("user_id", type_=Uuid),
            keys.service_account_id == bindparam("service_account_id", type_=Uuid),
        ),
        or_(keys.expires_at.is_(None), keys.expires_at > _NOW),
    )
)

HOLD_MEMBER = Statement(
    select(members.user_id)
    .where(members.tenant_id == _TENANT, members.user_id == bindparam("user_id", type_=Uuid))
    .with_for_update(key_share=True),
    writes=True,
)
"""Holds the membership that keys are made for: whoever counts them counts alone, and the membership stays."""

HOLD_ACCOUNT = Statement(
    select(*_ACCOUNT).where(accounts.tenant_id == _TENANT, accounts.id == _ACCOUNT_ID).with_for_update(key_share=True),
    writes=True,
)
"""Holds an account while its keys are counted, or its role is changed."""
