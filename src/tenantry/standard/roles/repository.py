"""Every statement of roles, compiled once, and the lists. Each names its tenant."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    Select,
    String,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    delete,
    exists,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    union_all,
    update,
)

from tenantry.access import BUILT_IN_IDS, MAX_PERMISSION, MAX_ROLE_NAME, ApiKey, CustomRole, ServiceAccount
from tenantry.database import Statement, Timestamp
from tenantry.query import RowList
from tenantry.tenancy import Invitation, Member, Team

roles = CustomRole.__table__.c
members = Member.__table__.c
teams = Team.__table__.c
invitations = Invitation.__table__.c
accounts = ServiceAccount.__table__.c
keys = ApiKey.__table__.c

_TENANT = bindparam("tenant_id", type_=Uuid)
_ROLE_ID = bindparam("role_id", type_=Uuid)
_NAME = bindparam("name", type_=String)
_ROLE = (
    roles.id,
    roles.name,
    roles.description,
    roles.counts_as,
    roles.permissions,
    roles.created_at,
    roles.updated_at,
    roles.version,
)

ROLE_BY_ID = Statement(select(*_ROLE).where(roles.tenant_id == _TENANT, roles.id == _ROLE_ID))

INSERT_ROLE = Statement(
    insert(CustomRole)
    .values(
        tenant_id=_TENANT,
        id=_ROLE_ID,
        name=bindparam("name"),
        description=bindparam("description"),
        counts_as=bindparam("counts_as"),
        permissions=bindparam("permissions"),
    )
    .returning(*_ROLE),
    writes=True,
)

UPDATE_ROLE = Statement(
    update(CustomRole)
    .where(roles.tenant_id == _TENANT, roles.id == _ROLE_ID)
    .values(
        name=bindparam("new_name"),
        description=bindparam("new_description"),
        counts_as=bindparam("new_counts_as"),
        permissions=bindparam("new_permissions"),
        updated_at=func.now(),
        version=roles.version + 1,
    )
    .returning(*_ROLE),
    writes=True,
)

DELETE_ROLE = Statement(delete(CustomRole).where(roles.tenant_id == _TENANT, roles.id == _ROLE_ID), writes=True)

# Who holds a role, by its name

_IS_OPEN = and_(invitations.accepted_at.is_(None), invitations.revoked_at.is_(None))

ROLE_IS_USED = Statement(
    select(
        or_(
            exists().where(members.tenant_id == _TENANT, members.role == _NAME),
            exists().where(teams.tenant_id == _TENANT, teams.role == _NAME),
            exists().where(accounts.tenant_id == _TENANT, accounts.role == _NAME),
            exists().where(keys.tenant_id == _TENANT, keys.role == _NAME),
            exists().where(
                invitations.tenant_id == _TENANT,
                invitations.role == _NAME,
                _IS_OPEN,
                invitations.expires_at > bindparam("now", type_=Timestamp),
            ),
        )
    )
)

RENAME_IN_MEMBERSHIPS = Statement(
    update(Member)
    .where(members.tenant_id == _TENANT, members.role == _NAME)
    .values(role=bindparam("new_name"), updated_at=func.now())
    .returning(members.user_id),
    writes=True,
)

RENAME_IN_TEAMS = Statement(
    update(Team)
    .where(teams.tenant_id == _TENANT, teams.role == _NAME)
    .values(role=bindparam("new_name"), updated_at=func.now(), version=teams.version + 1),
    writes=True,
)

RENAME_IN_ACCOUNTS = Statement(
    update(ServiceAccount)
    .where(accounts.tenant_id == _TENANT, accounts.role == _NAME)
    .values(role=bindparam("new_name"), updated_at=func.now(), version=accounts.version + 1)
    .returning(accounts.id),
    writes=True,
)

RENAME_IN_KEYS = Statement(
    update(ApiKey).where(keys.tenant_id == _TENANT, keys.role == _NAME).values(role=bindparam("new_name")),
    writes=True,
)

RENAME_IN_INVITATIONS = Statement(
    update(Invitation)
    .where(invitations.tenant_id == _TENANT, invitations.role == _NAME, _IS_OPEN)
    .values(role=bindparam("new_name")),
    writes=True,
)

KEYS_WITH_ROLE = Statement(
    select(keys.id)
    .join_from(
        ApiKey,
        ServiceAccount,
        and_(accounts.tenant_id == keys.tenant_id, accounts.id == keys.service_account_id),
        isouter=True,
    )
    .where(keys.tenant_id == _TENANT, or_(keys.role == _NAME, accounts.role == _NAME))
)
"""The keys whose facts name a role: as their scope, or as the role of the account that they act for."""

# Lists


def _built_in(name: str) -> Select[*tuple[Any, ...]]:
    """Return the row of a built-in role; what it holds comes with each call, as ``holds_<name>``."""
    return select(
        literal(BUILT_IN_IDS[name], Uuid),
        literal(name, String(MAX_ROLE_NAME)),
        cast(null(), String(500)),
        literal(name, String(MAX_ROLE_NAME)),
        bindparam(f"holds_{name}", type_=ARRAY(Text)),
        literal(True, Boolean),
        cast(null(), Timestamp),
        cast(null(), Timestamp),
        literal(1),
    )


_CUSTOM = select(
    roles.id,
    roles.name,
    roles.description,
    roles.counts_as,
    roles.permissions,
    literal(False, Boolean).label("is_builtin"),
    roles.created_at,
    roles.updated_at,
    roles.version,
).where(roles.tenant_id == _TENANT)

ROLES = RowList(
    union_all(_CUSTOM, *map(_built_in, BUILT_IN_IDS)).subquery("every").select(),
    filters={"is_builtin", "counts_as"},
    sorts={"is_builtin", "name"},
    search={"name", "description"},
    default_sort="-is_builtin,name",
)
"""The built-in roles, then the tenant's own. Not sorted by `created_at`: a union does not say that the built-in ones
have none, and a walk by cursor would lose them."""

_listed = (
    func.unnest(
        bindparam("names", type_=ARRAY(Text)),
        bindparam("descriptions", type_=ARRAY(Text)),
        bindparam("resources", type_=ARRAY(Text)),
        bindparam("verbs", type_=ARRAY(Text)),
        bindparam("holders", type_=ARRAY(Text)),
    )
    .table_valued(
        Column("id", String(MAX_PERMISSION, collation="C"), nullable=False),
        Column("description", Text, nullable=False),
        Column("resource", String(MAX_PERMISSION, collation="C"), nullable=False),
        Column("verb", String(MAX_PERMISSION, collation="C"), nullable=False),
        Column("holders", Text, nullable=False),
        name="listed",
    )
    .render_derived()
)

PERMISSIONS = RowList(
    select(
        _listed.c.id,
        _listed.c.id.label("name"),
        _listed.c.description,
        _listed.c.resource,
        _listed.c.verb,
        func.string_to_array(_listed.c.holders, literal(" "), type_=ARRAY(Text)).label("roles"),
    ),
    filters={"resource", "verb"},
    sorts={"resource", "verb"},
    search={"description"},
    default_sort="id",
)
"""Every permission of the application; what they are comes with each call, for no table knows."""
