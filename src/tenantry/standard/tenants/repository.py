"""Every statement of tenants, and their lists, compiled once."""

from __future__ import annotations

from functools import cache

from sqlalchemy import String, Uuid, bindparam, delete, distinct, exists, func, insert, select, union_all
from sqlalchemy.dialects.postgresql import insert as upsert

from tenantry.database import ShownRows, Statement, given
from tenantry.query import RowList
from tenantry.standard.tenants.schemas import TenantRead
from tenantry.tenancy import Invitation, Member, Tenant, TenantSlug, TenantStatus, is_open

tenants = Tenant.__table__.c
members = Member.__table__.c
slugs = TenantSlug.__table__.c

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

# Slugs, which stay the tenant's that had them first

_IS_SLUG = slugs.slug == bindparam("slug", type_=String)
_held = (
    upsert(TenantSlug)
    .values(given("slug", "tenant_id"))
    .on_conflict_do_nothing(index_elements=[slugs.slug])
    .returning(slugs.tenant_id)
    .cte("held")
)

HOLD_SLUG = Statement(union_all(select(_held.c.tenant_id), select(slugs.tenant_id).where(_IS_SLUG)))
"""Whose the slug is from now on: the tenant's, unless another one has or had it. None: another one just took it."""

RELEASE_SLUG = Statement(delete(TenantSlug).where(_IS_SLUG, ~exists().where(tenants.slug == slugs.slug)))

RELEASE_SLUGS_OF = Statement(delete(TenantSlug).where(slugs.tenant_id == bindparam("tenant_id", type_=Uuid)))

ALL_SLUGS = RowList(
    select(
        slugs.slug.label("id"),
        slugs.slug,
        slugs.tenant_id,
        exists().where(tenants.slug == slugs.slug).label("is_current"),
        slugs.created_at,
    ),
    filters={"slug", "tenant_id", "is_current"},
    sorts={"slug", "created_at"},
    search={"slug"},
    default_sort="slug",
)

# Numbers

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
