"""Every statement about grants, compiled once, and their lists."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    String,
    Table,
    Text,
    Uuid,
    bindparam,
    cast,
    delete,
    distinct,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from tenantry.access import ApiKey, CustomRole, Grant, ServiceAccount, TypeGrant
from tenantry.database import Statement, Timestamp
from tenantry.identity import User
from tenantry.query import RowList
from tenantry.standard.grants.schemas import GrantRead
from tenantry.tenancy import Member, Team, Tenant

grants = Grant.__table__.c
tenants = Tenant.__table__.c

_TENANT = bindparam("tenant_id", type_=Uuid)
_RECORD = bindparam("record_id", type_=Uuid)
_NOW = bindparam("now", type_=Timestamp)


class GrantStatements:
    """What is asked of the grants in one of the two tables; `on` are the columns that say what a grant is on."""

    def __init__(self, table: Table, *on: str) -> None:
        given = {
            name: table.c[name] == bindparam(name, type_=table.c[name].type) for name in _IDENTITY if name in table.c
        }
        gone = delete(table).where(*given.values(), table.c.expires_at <= _NOW).returning(table.c.id).cte("gone")
        there = select(func.count()).select_from(table).where(*(given[name] for name in on))
        self.make_room = Statement(there.where(table.c.id.not_in(select(gone.c.id))))
        """How many grants there are on the same, without the one that has expired and would be given again: it goes."""
        subject = table.c.subject_id == bindparam("subject_id", type_=Uuid)
        self.forget = Statement(delete(table).where(given["tenant_id"], subject))


_IDENTITY = ("tenant_id", "record_id", "subject_id", "action", "effect")
"""What makes a grant the same as another, as its unique index says."""

ON_RECORDS = GrantStatements(Grant.__table__, "tenant_id", "record_id")
ON_RESOURCES = GrantStatements(TypeGrant.__table__, "tenant_id")

LOCK_COUNTED = Statement(
    select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("counted", type_=String), literal(0))))
)
"""Makes those who count grants before they add one do so one after the other, until the end of the transaction."""

# Grants on records, which the engine does not serve

_NEW = [name for name in grants.keys() if name != "created_at"]  # noqa: SIM118 - a column collection
_SHOWN = [grants[name] for name in GrantRead.model_fields]

GIVE = Statement(
    insert(Grant).values({name: bindparam(name, type_=grants[name].type) for name in _NEW}).returning(*_SHOWN)
)

TAKE = Statement(
    delete(Grant).where(grants.id == bindparam("grant_id", type_=Uuid), grants.record_id == _RECORD).returning(*_SHOWN)
)

OF_RECORD = RowList(
    select(*_SHOWN).where(grants.record_id == _RECORD),
    filters={"subject_type", "subject_id", "action", "effect", "expires_at"},
    sorts={"created_at", "action"},
    search=set(),
    default_sort="created_at",
)

# The mark of a tenant that has grants

_MARKS = func.unnest(tenants.granted + bindparam("resources", type_=ARRAY(Text))).column_valued("mark")

MARK_GRANTED = Statement(
    update(Tenant)
    .where(tenants.id == _TENANT)
    .values(granted=select(func.array_agg(distinct(_MARKS))).scalar_subquery())
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
