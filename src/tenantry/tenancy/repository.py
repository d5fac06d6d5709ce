"""Every statement of tenancy, compiled once."""

from __future__ import annotations

from sqlalchemy import (
    ColumnElement,
    FromClause,
    String,
    Uuid,
    and_,
    bindparam,
    func,
    insert,
    literal,
    or_,
    select,
)

from tenantry.database import Statement
from tenantry.identity import User
from tenantry.tenancy.models import Member, TeamMember, Tenant, TenantStatus

tenants = Tenant.__table__.c
members = Member.__table__.c
team_members = TeamMember.__table__.c
users = User.__table__.c

_TENANT = bindparam("tenant_id", type_=Uuid)
_USER = bindparam("user_id", type_=Uuid)
_FACTS = (
    tenants.id,
    tenants.slug,
    tenants.name,
    tenants.status,
    tenants.placement_kind,
    tenants.placement_schema,
    tenants.granted,
)
_IS_OF_MEMBER = and_(team_members.tenant_id == members.tenant_id, team_members.user_id == members.user_id)
_TEAM_IDS = func.array(
    select(team_members.team_id).where(_IS_OF_MEMBER).order_by(team_members.team_id).correlate(Member).scalar_subquery()
)


def is_open(rows: FromClause) -> ColumnElement[bool]:
    """Return the condition that an invitation was neither accepted nor taken back."""
    return and_(rows.c.accepted_at.is_(None), rows.c.revoked_at.is_(None))


# Resolution

MEMBERSHIPS_AMONG = Statement(
    select(members.role, _TEAM_IDS.label("teams"), *_FACTS)
    .join_from(Member, Tenant, tenants.id == members.tenant_id)
    .where(members.user_id == _USER, or_(tenants.id == _TENANT, tenants.slug == bindparam("slug", type_=String)))
)
"""The person's memberships among the named tenants. It reads the person's own rows, whatever was named: a tenant that
does not exist costs what somebody else's tenant costs."""

TENANT_BY_ID = Statement(select(*_FACTS).where(tenants.id == _TENANT))

TENANTS_NAMED = Statement(
    select(*_FACTS).where(or_(tenants.id == _TENANT, tenants.slug == bindparam("slug", type_=String)))
)

COUNT_MEMBERS = Statement(select(func.count()).select_from(Member).where(members.tenant_id == _TENANT))

PLACEMENTS = Statement(
    select(tenants.placement_kind, tenants.placement_schema)
    .where(tenants.status != TenantStatus.PREPARING.value)
    .distinct()
)

# Who holds what (see `tenantry.tenancy.role_lock`)

LOCK_ROLES_SHARED = Statement(
    select(func.pg_advisory_xact_lock_shared(func.hashtextextended(bindparam("holdings", type_=String), literal(0))))
)

LOCK_ROLES = Statement(
    select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("holdings", type_=String), literal(0))))
)

# Members

INSERT_MEMBER = Statement(insert(Member).values(tenant_id=_TENANT, user_id=_USER, role=bindparam("role")))

ROLE_OF_MEMBER = Statement(
    select(members.role).where(members.tenant_id == _TENANT, members.user_id == _USER).with_for_update(read=True)
)
"""Holds the membership until the end of the transaction: what was decided by the role stays true."""

# People, as identity knows them. E-mail addresses count only once verified.

_IS_VERIFIED = and_(users.is_active, users.email_verified_at.is_not(None))

VERIFIED_USER_BY_EMAIL = Statement(
    select(users.id, users.email_key).where(users.email_key == bindparam("email_key"), _IS_VERIFIED)
)

VERIFIED_USER_BY_ID = Statement(select(users.id, users.email_key).where(users.id == _USER, _IS_VERIFIED))

IS_MEMBER = Statement(
    select(literal(1)).select_from(Member).where(members.tenant_id == _TENANT, members.user_id == _USER)
)
