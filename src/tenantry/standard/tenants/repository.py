"""Every statement of tenants, and their lists, compiled once."""

from __future__ import annotations

from functools import cache

from sqlalchemy import Uuid, bindparam, delete, distinct, func, insert, select

from tenantry.database import ShownRows, Statement, given
from tenantry.query import RowList
from tenantry.standard.tenants.schemas import TenantRead
from tenantry.tenancy import Invitation, Member, Tenant, TenantStatus, is_open

tenants = Tenant.__table__.c
members = Member.__table__.c

_USER = bindparam("user_id", type_=Uuid)
_IS_TENANT = tenants.id == bindparam("tenant_id", type_=Uuid)


class TenantStatements(ShownRows):
    """What is asked of tenants, with the columns that one schema shows: an application may show columns of its own."""

    def __init__(self, read: type[TenantRead]) -> None:
        super().__init__(
            Tenant,
            read.model_fields,
            where=_IS_TENANT,
            touched={"updated_at": func.now(), "version": tenants.version + 1},
            named={"placement": tenants.placement_kind.label("placement")},
        )
        self.insert = Statement(
            insert(Tenant)
            .values(given("id", "slug", "name", "status", "placement_kind", "placement_schema"))
            .returning(*self.shown)
        )


statements_of = cache(TenantStatements)
"""The statements for what a schema shows."""

DELETE_UNPREPARED = Statement(delete(Tenant).where(_IS_TENANT, tenants.status == TenantStatus.PREPARING.value))

COUNT_BY_STATUS = Statement(select(tenants.status, func.count().label("number")).group_by(tenants.status))

COUNT_PEOPLE = Statement(
    select(
        func.count().label("memberships"),
        func.count(distinct(members.user_id)).label("people"),
        select(func.count())
        .select_from(Invitation)
        .where(is_open(Invitation.__table__))
        .scalar_subquery()
        .label("open_invitations"),
    ).select_from(Member)
)

OWN_TENANTS = RowList(
    select(tenants.id, tenants.slug, tenants.name, tenants.status, members.role, tenants.created_at)
    .join_from(Member, Tenant, tenants.id == members.tenant_id)
    .where(members.user_id == _USER),
    filters={"status", "role"},
    sorts={"name", "slug", "created_at"},
    search={"name", "slug"},
    default_sort="name",
)

ALL_TENANTS = RowList(
    select(
        tenants.id,
        tenants.slug,
        tenants.name,
        tenants.status,
        tenants.placement_kind.label("placement"),
        tenants.created_at,
        tenants.updated_at,
        tenants.version,
    ),
    filters={"slug", "status", "placement", "created_at"},
    sorts={"name", "slug", "created_at"},
    search={"name", "slug"},
    default_sort="-created_at",
)
