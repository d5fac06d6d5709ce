"""Every statement about grants, compiled once, and their lists."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    Select,
    String,
    Table,
    Text,
    Uuid,
    bindparam,
    cast,
    delete,
    distinct,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from tenantry.access import ApiKey, CustomRole, Grant, ServiceAccount, TypeGrant
from tenantry.database import Statement, Timestamp
from tenantry.identity import User
from tenantry.query import RowList
from tenantry.tenancy import Member, Team, Tenant

grants = Grant.__table__.c
type_grants = TypeGrant.__table__.c
tenants = Tenant.__table__.c

_TENANT = bindparam("tenant_id", type_=Uuid)
_RECORD = bindparam("record_id", type_=Uuid)
_GRANT = bindparam("grant_id", type_=Uuid)
_NOW = bindparam("now", type_=Timestamp)


def _shown(table: Table) -> Select[*tuple[object, ...]]:
    named = ["id", "resource_type", "record_id", "subject_type", "subject_id", "action", "effect", "expires_at"]
    return select(*(table.c[name] for name in [*named, "created_by", "created_at"] if name in table.c))


def _giving(table: Table) -> Statement:
    """Insert a grant; one that has expired makes room. No row where the same grant is in force already."""
    names = [name for name in table.c.keys() if name != "created_at"]  # noqa: SIM118 - a column collection
    given = insert(table).values({name: bindparam(name, type_=table.c[name].type) for name in names})
    same = [name for name in ("tenant_id", "record_id", "subject_id", "action", "effect") if name in table.c]
    replaced = {name: given.excluded[name] for name in ("id", "expires_at", "created_by")} | {"created_at": func.now()}
    return Statement(
        given.on_conflict_do_update(index_elements=same, set_=replaced, where=table.c.expires_at <= _NOW).returning(
            *_shown(table).selected_columns
        ),
        writes=True,
    )


# Grants on records, tenant plane

GIVE = _giving(Grant.__table__)

TAKE = Statement(
    delete(Grant)
    .where(grants.id == _GRANT, grants.record_id == _RECORD)
    .returning(*_shown(Grant.__table__).selected_columns),
    writes=True,
)

LOCK_COUNTED = Statement(
    select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("counted", type_=String), literal(0))))
)
"""Makes those who count grants before they add one do so one after the other, until the end of the transaction."""

COUNT_OF_RECORD = Statement(select(func.count()).select_from(Grant).where(grants.record_id == _RECORD))

FORGET_SUBJECT = Statement(delete(Grant).where(grants.subject_id == bindparam("subject_id", type_=Uuid)), writes=True)

OF_RECORD = RowList(
    _shown(Grant.__table__).where(grants.record_id == _RECORD),
    filters={"subject_type", "subject_id", "action", "effect", "expires_at"},
    sorts={"created_at", "action"},
    search=set(),
    default_sort="created_at",
)

# Grants on whole resources, control plane

GIVE_TYPE = _giving(TypeGrant.__table__)

TAKE_TYPE = Statement(
    delete(TypeGrant)
    .where(type_grants.tenant_id == _TENANT, type_grants.id == _GRANT)
    .returning(*_shown(TypeGrant.__table__).selected_columns),
    writes=True,
)

COUNT_TYPE = Statement(select(func.count()).select_from(TypeGrant).where(type_grants.tenant_id == _TENANT))

FORGET_TYPE_SUBJECT = Statement(
    delete(TypeGrant).where(
        type_grants.tenant_id == _TENANT, type_grants.subject_id == bindparam("subject_id", type_=Uuid)
    ),
    writes=True,
)

OF_TYPES = RowList(
    _shown(TypeGrant.__table__).where(type_grants.tenant_id == _TENANT),
    filters={"resource_type", "subject_type", "subject_id", "action", "effect", "expires_at"},
    sorts={"created_at", "action"},
    search=set(),
    default_sort="created_at",
)

_MARKS = func.unnest(tenants.granted + bindparam("resources", type_=ARRAY(Text))).column_valued("mark")

MARK_GRANTED = Statement(
    update(Tenant)
    .where(tenants.id == _TENANT)
    .values(granted=select(func.array_agg(distinct(_MARKS))).scalar_subquery()),
    writes=True,
)
"""Note that grants may exist for some resources. Not a change of the tenant: its version stays."""

# Subjects, by what a request calls them

_CALLED = bindparam("called", type_=String)
_ID = bindparam("subject_id", type_=Uuid)

USER_NAMED = Statement(
    select(Member.__table__.c.user_id.label("id"), User.__table__.c.name)
    .join_from(Member, User, User.__table__.c.id == Member.__table__.c.user_id)
    .where(Member.__table__.c.tenant_id == _TENANT, Member.__table__.c.user_id == _ID)
)


def _named(table: Table) -> Statement:
    return Statement(select(table.c.id, table.c.name).where(table.c.tenant_id == _TENANT, table.c.id == _ID))


TEAM_NAMED = _named(Team.__table__)
API_KEY_NAMED = _named(ApiKey.__table__)
SERVICE_ACCOUNT_NAMED = _named(ServiceAccount.__table__)

_ROLES = CustomRole.__table__.c
_IS_ID_OF_ROLE = cast(_ROLES.id, Text) == func.lower(_CALLED)
ROLE_NAMED = Statement(
    select(_ROLES.id, _ROLES.name)
    .where(_ROLES.tenant_id == _TENANT, or_(_ROLES.name == _CALLED, _IS_ID_OF_ROLE))
    .order_by(_IS_ID_OF_ROLE.desc())
    .limit(1)
)
"""The id counts before the name: a role that is called like the id of another must not get what that one is given."""
