"""What members are asked for besides their own rows, compiled once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ColumnElement, FromClause, Uuid, and_, bindparam, func, or_, select, update
from sqlalchemy.dialects.postgresql import aggregate_order_by

from tenantry.database import Statement, Timestamp
from tenantry.identity import User
from tenantry.tenancy import Invitation, Member, Role, Team, TeamMember, is_open

members = Member.__table__.c
invitations = Invitation.__table__.c
users = User.__table__.c
teams = Team.__table__.c
team_members = TeamMember.__table__.c

_TENANT = bindparam("tenant_id", type_=Uuid)
_USER = bindparam("user_id", type_=Uuid)

LOCK_MEMBERS = Statement(
    select(members.user_id, members.role, users.is_active)
    .join_from(Member, User, users.id == members.user_id)
    .where(
        members.tenant_id == _TENANT,
        or_(
            members.user_id == _USER,
            members.user_id == bindparam("acting_id", type_=Uuid),
            members.role == Role.OWNER.value,
        ),
    )
    .order_by(members.user_id)
    .with_for_update(key_share=True, of=Member)
)
"""The member in question, the acting one, and every owner, held until the end of the transaction. Always in the same
order, so that two owners who demote each other wait for one another instead of deadlocking."""

REVOKE_INVITATIONS_TO = Statement(
    update(Invitation)
    .where(
        invitations.tenant_id == _TENANT,
        invitations.email_key == select(users.email_key).where(users.id == _USER).scalar_subquery(),
        is_open(Invitation.__table__),
    )
    .values(revoked_at=bindparam("now", type_=Timestamp))
)
"""Ends what a person was invited to."""

TENANTS_OF_PERSON = Statement(select(members.tenant_id).where(members.user_id == _USER).order_by(members.tenant_id))
"""Where a person belongs, read as the person's own rows."""


def name_of(rows: FromClause) -> ColumnElement[Any]:
    """Return the name of the person that a membership is about."""
    return select(users.name).where(users.id == rows.c.user_id).scalar_subquery()


def email_of(rows: FromClause) -> ColumnElement[Any]:
    """Return the e-mail address of the person that a membership is about."""
    return select(users.email).where(users.id == rows.c.user_id).scalar_subquery()


def teams_of(rows: FromClause) -> ColumnElement[Any]:
    """Return the teams that a member is in directly, by name, as JSON."""
    one = func.json_build_object("id", teams.id, "name", teams.name)
    return (
        select(func.coalesce(func.json_agg(aggregate_order_by(one, teams.name)), func.json_build_array(), type_=JSON))
        .join_from(TeamMember, Team, and_(teams.tenant_id == team_members.tenant_id, teams.id == team_members.team_id))
        .where(team_members.tenant_id == rows.c.tenant_id, team_members.user_id == rows.c.user_id)
        .scalar_subquery()
    )
