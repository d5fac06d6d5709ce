"""Every statement of explanations, compiled once: who is in the tenant, and what one record and the grants on it are.

They read what is there now. Who may know it is decided by `service`, before anything of it is told.
"""

from __future__ import annotations

from functools import lru_cache

from sqlalchemy import ARRAY, Text, Uuid, any_, bindparam, collate, func, null, or_, select, tuple_, union_all

from tenantry.access import ApiKey, Grant, ResourceAccess, ServiceAccount, SubjectType
from tenantry.database import Statement, sql_literal
from tenantry.identity import User
from tenantry.tenancy import Member, Team, TeamMember

members = Member.__table__.c
team_members = TeamMember.__table__.c
teams = Team.__table__.c
users = User.__table__.c
accounts = ServiceAccount.__table__.c
keys = ApiKey.__table__.c
grants = Grant.__table__.c

BATCH = 1000
"""Members and service accounts that are read at a time."""

_TENANT = bindparam("tenant_id", type_=Uuid)
_SUBJECT = bindparam("subject_id", type_=Uuid)
_UUIDS = ARRAY(Uuid)

# Who is in the tenant, control plane

_TEAM_IDS = func.array(
    select(team_members.team_id)
    .where(team_members.tenant_id == members.tenant_id, team_members.user_id == members.user_id)
    .order_by(team_members.team_id)
    .correlate(Member)
    .scalar_subquery(),
    type_=_UUIDS,
)

_PEOPLE = (
    select(
        sql_literal(SubjectType.USER.value).label("type"),
        members.user_id.label("id"),
        collate(users.name, "C").label("name"),
        members.role,
        _TEAM_IDS.label("teams"),
        users.platform_role,
        users.is_active,
        null().label("sponsor_id"),
    )
    .join_from(Member, User, users.id == members.user_id)
    .where(members.tenant_id == _TENANT)
)

_ACCOUNTS = select(
    sql_literal(SubjectType.SERVICE_ACCOUNT.value).label("type"),
    accounts.id,
    accounts.name,
    accounts.role,
    sql_literal("{}").label("teams"),
    null().label("platform_role"),
    accounts.suspended_at.is_(None).label("is_active"),
    accounts.sponsor_id,
).where(accounts.tenant_id == _TENANT)

_EVERY = union_all(_PEOPLE, _ACCOUNTS).subquery("every")
_BEHIND = tuple_(_EVERY.c.name, _EVERY.c.id) > tuple_(
    collate(bindparam("after_name", type_=Text), "C"), bindparam("after_id", type_=Uuid)
)

ACTORS = Statement(
    select(_EVERY)
    .where(or_(bindparam("after_id", type_=Uuid).is_(None), _BEHIND))
    .order_by(_EVERY.c.name, _EVERY.c.id)
    .limit(BATCH)
)
"""A batch of those who can act by themselves, people and service accounts, by name: behind ``after_name, after_id``."""

ACTOR = Statement(select(_EVERY).where(_EVERY.c.id == _SUBJECT))

_KEY_FACTS = (keys.id, keys.name, keys.role, keys.permissions, keys.expires_at)

KEY_HOLDER = Statement(
    select(
        *(column for column in _EVERY.c if column.name != "platform_role"),
        *(column.label(f"key_{column.name}") for column in _KEY_FACTS),
    )
    .join_from(ApiKey, _EVERY, _EVERY.c.id == func.coalesce(keys.user_id, keys.service_account_id))
    .where(keys.tenant_id == _TENANT, keys.id == _SUBJECT)
)
"""Whom a key acts for, and the key. Platform roles are left out: they are for people who signed in."""

TEAMS = Statement(select(teams.id, teams.parent_id, teams.role, teams.name).where(teams.tenant_id == _TENANT))

# The record, tenant plane

GRANTS_ON = Statement(
    select(grants.id, grants.record_id, grants.subject_id, grants.action, grants.effect, grants.expires_at)
    .where(
        grants.record_id == any_(bindparam("record_ids", type_=_UUIDS)),
        or_(grants.expires_at.is_(None), grants.expires_at > func.now()),
    )
    .order_by(grants.id)
)
"""The grants on some records that are in force."""


@lru_cache(maxsize=256)
def record_facts(of: ResourceAccess) -> Statement:
    """Return the statement that reads what decisions know of one record, soft-deleted or not. Parameter: ``id``."""
    names = {"id", "deleted_at", of.owner, of.parent.column if of.parent else None, *of.own_columns}
    columns = [column for column in of.table.c if column.name in names]
    return Statement(select(*columns).where(of.table.c.id == bindparam("id", type_=Uuid)))
