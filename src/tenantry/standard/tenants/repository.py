"""The lists of tenants, compiled once."""

from __future__ import annotations

from sqlalchemy import Uuid, bindparam, select

from tenantry.query import RowList
from tenantry.tenancy import Member, Tenant

tenants = Tenant.__table__.c
members = Member.__table__.c

_USER = bindparam("user_id", type_=Uuid)

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
