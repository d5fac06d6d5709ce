"""The list of members, compiled once."""

from __future__ import annotations

from sqlalchemy import Uuid, bindparam, select

from tenantry.identity import User
from tenantry.query import RowList
from tenantry.tenancy import MEMBER_COLUMNS, Member

members = Member.__table__.c
users = User.__table__.c


_TENANT = bindparam("tenant_id", type_=Uuid)

MEMBERS = RowList(
    select(*MEMBER_COLUMNS).join_from(Member, User, users.id == members.user_id).where(members.tenant_id == _TENANT),
    filters={"role", "created_at"},
    sorts={"name", "created_at"},
    search={"name", "email"},
    default_sort="created_at",
)
