"""The statements of keys and of the accounts that they act for, compiled once. Each names its tenant."""

from __future__ import annotations

from sqlalchemy import ARRAY, Uuid, and_, any_, bindparam, func, or_, select, update

from tenantry.access.models import ApiKey, ServiceAccount
from tenantry.database import Statement, Timestamp
from tenantry.identity import User

keys = ApiKey.__table__.c
accounts = ServiceAccount.__table__.c
users = User.__table__.c

_NOW = bindparam("now", type_=Timestamp)
_TENANT = bindparam("tenant_id", type_=Uuid)
_KEY_ID = bindparam("key_id", type_=Uuid)
_ACCOUNT_IDS = bindparam("account_ids", type_=ARRAY(Uuid))

KEY_FACTS = Statement(
    select(
        keys.id,
        keys.tenant_id,
        keys.user_id,
        keys.role,
        keys.permissions,
        keys.expires_at,
        keys.secret_hash,
        accounts.id.label("account_id"),
        accounts.name.label("account_name"),
        accounts.role.label("account_role"),
        accounts.sponsor_id,
        accounts.suspended_at,
        users.is_active.label("person_is_active"),
    )
    .join_from(
        ApiKey,
        ServiceAccount,
        and_(accounts.tenant_id == keys.tenant_id, accounts.id == keys.service_account_id),
        isouter=True,
    )
    .outerjoin(User, users.id == keys.user_id)
    .where(keys.tenant_id == _TENANT, keys.id == _KEY_ID)
)

PERSON_IS_ACTIVE = Statement(select(users.is_active).where(users.id == bindparam("user_id", type_=Uuid)))

_DUE = (
    select(keys.id)
    .where(
        keys.tenant_id == _TENANT,
        keys.id == func.any(bindparam("key_ids", type_=ARRAY(Uuid))),
        or_(keys.last_used_at.is_(None), keys.last_used_at <= bindparam("noted_before", type_=Timestamp)),
    )
    .with_for_update(key_share=True, skip_locked=True)
    .cte("due")
)

NOTE_USE = Statement(
    update(ApiKey).where(keys.tenant_id == _TENANT, keys.id.in_(select(_DUE.c.id))).values(last_used_at=_NOW)
)
"""The time keeps several processes together at one write a minute. What somebody else holds is left out: a note waits
for nobody, so that it can be in nobody's way for long."""

KEYS_OF_ACCOUNTS = Statement(
    select(keys.id).where(keys.tenant_id == _TENANT, keys.service_account_id == any_(_ACCOUNT_IDS)).order_by(keys.id)
)
"""What a change of service accounts is announced to."""

ACCOUNTS_OF_SPONSOR = Statement(
    select(accounts.id, accounts.role).where(
        accounts.tenant_id == _TENANT,
        accounts.sponsor_id == bindparam("sponsor_id", type_=Uuid),
        accounts.suspended_at.is_(None),
    )
)

SUSPEND_ACCOUNTS = Statement(
    update(ServiceAccount)
    .where(accounts.tenant_id == _TENANT, accounts.id == any_(_ACCOUNT_IDS), accounts.suspended_at.is_(None))
    .values(suspended_at=_NOW, updated_at=_NOW, version=accounts.version + 1)
    .returning(accounts.id)
)
