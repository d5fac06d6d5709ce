"""Every statement of explanations, compiled once: who is in the tenant, and what one record and the grants on it are.

They read what is there now. Who may know it is decided by `service`, before anything of it is told.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    String,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    cast,
    collate,
    false,
    func,
    literal,
    null,
    or_,
    select,
    true,
    tuple_,
    union_all,
)

from tenantry.access import ApiKey, Grant, ResourceAccess, ServiceAccount, SubjectType, TypeGrant
from tenantry.database import Statement, Timestamp
from tenantry.identity import User
from tenantry.tenancy import Member, Team, TeamMember

members = Member.__table__.c
team_members = TeamMember.__table__.c
teams = Team.__table__.c
users = User.__table__.c
accounts = ServiceAccount.__table__.c
keys = ApiKey.__table__.c
grants = Grant.__table__.c
type_grants = TypeGrant.__table__.c

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
        literal(SubjectType.USER.value, Text).label("subject_type"),
        members.user_id.label("id"),
        collate(users.name, "C").label("name"),
        members.role,
        _TEAM_IDS.label("teams"),
        users.platform_role,
        users.is_active,
    )
    .join_from(Member, User, users.id == members.user_id)
    .where(members.tenant_id == _TENANT)
)

_ACCOUNTS = select(
    literal(SubjectType.SERVICE_ACCOUNT.value, Text).label("subject_type"),
    accounts.id,
    accounts.name,
    accounts.role,
    cast(literal("{}", Text), _UUIDS).label("teams"),
    cast(null(), String).label("platform_role"),
    true().label("is_active"),
).where(accounts.tenant_id == _TENANT)

MEMBER_NAMED = Statement(_PEOPLE.where(members.user_id == _SUBJECT))
ACCOUNT_NAMED = Statement(_ACCOUNTS.where(accounts.id == _SUBJECT))

KEY_NAMED = Statement(
    select(
        keys.id, keys.name, keys.user_id, keys.service_account_id, keys.role, keys.permissions, keys.expires_at
    ).where(keys.tenant_id == _TENANT, keys.id == bindparam("key_id", type_=Uuid))
)


def _actors() -> Select[*tuple[Any, ...]]:
    every = union_all(_PEOPLE, _ACCOUNTS).subquery("every")
    behind = tuple_(every.c.name, every.c.id) > tuple_(
        collate(bindparam("after_name", type_=Text), "C"), bindparam("after_id", type_=Uuid)
    )
    return (
        select(every)
        .where(or_(bindparam("after_id", type_=Uuid).is_(None), behind))
        .order_by(every.c.name, every.c.id)
        .limit(bindparam("limit", type_=Integer))
    )


ACTORS = Statement(_actors())
"""Everybody who can act by themselves, people and service accounts, by name: those behind ``after_name, after_id``."""

TEAMS = Statement(select(teams.id, teams.parent_id, teams.role, teams.name).where(teams.tenant_id == _TENANT))

TYPE_GRANTS = Statement(
    select(
        type_grants.id,
        type_grants.subject_type,
        type_grants.subject_id,
        type_grants.action,
        type_grants.effect,
        type_grants.expires_at,
    )
    .where(
        type_grants.tenant_id == _TENANT,
        or_(type_grants.expires_at.is_(None), type_grants.expires_at > bindparam("now", type_=Timestamp)),
    )
    .order_by(type_grants.id)
)

# The record, tenant plane

GRANTS_ON = Statement(
    select(
        grants.id,
        grants.record_id,
        grants.subject_type,
        grants.subject_id,
        grants.action,
        grants.effect,
        grants.expires_at,
    )
    .where(
        grants.record_id == any_(bindparam("record_ids", type_=_UUIDS)),
        or_(grants.expires_at.is_(None), grants.expires_at > func.now()),
    )
    .order_by(grants.id)
)
"""The grants on some records that are in force."""


@lru_cache(maxsize=256)
def lineage(access: ResourceAccess) -> Statement:
    """Return the statement that reads one record and those above it, soft-deleted or not. Parameter: ``id``.

    The columns of the record have the prefix ``l0_``, those of the one above it ``l1_``, and so on: ``id``,
    ``owner``, ``deleted`` and what `own_when` compares.
    """
    levels = [(of, of.table.alias(f"l{level}")) for level, of in enumerate(access.above)]
    source: FromClause = levels[0][1]
    for (below, lower), (_, upper) in pairwise(levels):
        if below.parent is not None:
            same_tenant = upper.c.tenant_id == lower.c.tenant_id
            source = source.join(upper, and_(same_tenant, upper.c.id == lower.c[below.parent.column]))
    columns = [column for level, (of, table) in enumerate(levels) for column in _facts(of, table, f"l{level}_")]
    return Statement(select(*columns).select_from(source).where(levels[0][1].c.id == bindparam("id", type_=Uuid)))


def _facts(of: ResourceAccess, table: FromClause, prefix: str) -> list[ColumnElement[Any]]:
    return [
        table.c.id.label(f"{prefix}id"),
        (cast(null(), Uuid) if of.owner is None else table.c[of.owner]).label(f"{prefix}owner"),
        (table.c.deleted_at.is_not(None) if "deleted_at" in table.c else false()).label(f"{prefix}deleted"),
        *(table.c[name].label(f"{prefix}v_{name}") for name in compared(of)),
    ]


def compared(of: ResourceAccess) -> list[str]:
    """Return the columns that `own_when` compares."""
    return sorted({name for values in of.own_when.values() for name in values})
