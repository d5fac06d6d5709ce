"""Every statement of tenants, and their lists, compiled once."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

from sqlalchemy import Uuid, bindparam, delete, distinct, func, insert, select, update

from tenantry.database import Statement, given
from tenantry.kernel import ConfigurationError
from tenantry.query import RowList
from tenantry.standard.tenants.schemas import TenantRead
from tenantry.tenancy import Invitation, Member, Tenant, TenantStatus, is_open

tenants = Tenant.__table__.c
members = Member.__table__.c

_USER = bindparam("user_id", type_=Uuid)
_IS_TENANT = tenants.id == bindparam("tenant_id", type_=Uuid)


class TenantStatements:
    """What is asked of tenants, with the columns that one schema shows: an application may show columns of its own."""

    def __init__(self, read: type[TenantRead]) -> None:
        columns = {**tenants, "placement": tenants.placement_kind.label("placement")}
        if unknown := read.model_fields.keys() - columns.keys():
            names = ", ".join(sorted(unknown))
            raise ConfigurationError(f"{read.__name__}: tenants have no {names}; add it by tenantry.database.extend.")
        self._shown = tuple(columns[name] for name in read.model_fields)
        self.insert = Statement(
            insert(Tenant)
            .values(given("id", "slug", "name", "status", "placement_kind", "placement_schema"))
            .returning(*self._shown)
        )
        found = select(*self._shown).where(_IS_TENANT)
        self.by_id = Statement(found)
        self.lock = Statement(found.with_for_update(key_share=True))
        """The row, held until the end of the transaction, for a change that depends on what it says."""
        self._updates: dict[frozenset[str], Statement] = {}

    def update(self, columns: Collection[str]) -> Statement:
        """Return the statement that changes these columns."""
        names = frozenset(columns)
        if names not in self._updates:
            values = given(*sorted(names)) | {"updated_at": func.now(), "version": tenants.version + 1}
            self._updates[names] = Statement(update(Tenant).where(_IS_TENANT).values(values).returning(*self._shown))
        return self._updates[names]


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
