"""The statements of roles, compiled once; each names its tenant. What holds a role holds it by name."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    FromClause,
    Select,
    String,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    exists,
    func,
    or_,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy import Table as SqlTable
from sqlalchemy.dialects.postgresql import JSONB

from tenantry.access import BUILT_IN_IDS, MAX_PERMISSION, TENANT, ApiKey, ServiceAccount
from tenantry.database import Statement, Table, Timestamp
from tenantry.query import RowList
from tenantry.runtime import PermissionMeanings
from tenantry.tenancy import Invitation, Member, Role, Team

accounts = ServiceAccount.__table__
keys = ApiKey.__table__
invitations = Invitation.__table__

_HOLDERS: tuple[type[Table], ...] = (Member, Team, ServiceAccount, ApiKey, Invitation)
_HAS_NOT_EXPIRED: dict[type[Table], ColumnElement[bool]] = {
    Invitation: invitations.c.expires_at > bindparam("now", type_=Timestamp)
}


def _built_in(name: str, table: SqlTable) -> Select[*tuple[Any, ...]]:
    """Return the row of a built-in role; what it holds comes with each call, as ``holds_<name>``."""
    known: dict[str, Any] = {
        "tenant_id": bindparam(TENANT, type_=Uuid),
        "id": BUILT_IN_IDS[name],
        "name": name,
        "counts_as": name,
        "permissions": bindparam(f"holds_{name}", type_=ARRAY(Text)),
        "version": 1,
    }
    return select(*(cast(known.get(column.name), column.type).label(column.name) for column in table.c))


def every_role(table: SqlTable) -> FromClause:
    """Return the roles of the tenant's own, which `table` holds, and the built-in ones.

    Not to be sorted by `created_at`: a union does not say that the built-in ones have none, and a walk by cursor would
    lose them.
    """
    built_in = (_built_in(name, table) for name in BUILT_IN_IDS)
    return union_all(select(table), *built_in).subquery("every_role")


def _holds(table: SqlTable) -> ColumnElement[bool]:
    """Return the condition that a row holds the role ``name``; an invitation only while it is open."""
    of_role = [table.c.tenant_id == bindparam("tenant_id", type_=Uuid), table.c.role == bindparam("name", type_=String)]
    if table is invitations:
        of_role += [table.c.accepted_at.is_(None), table.c.revoked_at.is_(None)]
    return and_(*of_role)


def _renaming(table: SqlTable) -> Statement:
    """Give whoever holds the role ``name`` the role ``new_name`` instead."""
    values: dict[str, Any] = {"role": bindparam("new_name", type_=String)}
    if "updated_at" in table.c:
        values["updated_at"] = func.now()
    if "version" in table.c:
        values["version"] = table.c.version + 1
    renamed = update(table).where(_holds(table)).values(values)
    return Statement(renamed.returning(*table.primary_key.columns))


RENAMES = {model: _renaming(model.__table__) for model in _HOLDERS}
"""What takes everybody along who holds a role, by where they are kept."""

ROLE_IS_USED = Statement(
    select(or_(*(exists().where(_holds(one.__table__), _HAS_NOT_EXPIRED.get(one, true())) for one in _HOLDERS)))
)

KEYS_WITH_ROLE = Statement(
    select(keys.c.id).where(
        keys.c.tenant_id == bindparam("tenant_id", type_=Uuid),
        or_(
            keys.c.role == bindparam("name", type_=String),
            keys.c.service_account_id.in_(select(accounts.c.id).where(_holds(accounts))),
        ),
    )
)
"""The keys whose facts name a role: as their scope, or as the role of the account that they act for."""

_NAME = String(MAX_PERMISSION, collation="C")
_listed = (
    func.jsonb_to_recordset(bindparam("listed", type_=JSONB))
    .table_valued(
        Column("id", _NAME, nullable=False),
        Column("name", _NAME),
        Column("description", Text, nullable=False),
        Column("resource", _NAME, nullable=False),
        Column("verb", _NAME, nullable=False),
        Column("roles", ARRAY(Text)),
    )
    .render_derived(name="listed", with_types=True)
)

PERMISSIONS = RowList(
    select(_listed),
    filters={"resource", "verb"},
    sorts={"resource", "verb"},
    search={"description"},
    default_sort="id",
)
"""Every permission of the application, as `permissions_of` tells with each call, for no table knows."""


def permissions_of(catalog: PermissionMeanings) -> list[dict[str, Any]]:
    """Return every permission with the built-in roles that hold it."""
    held = {role: catalog.of_role(role) for role in Role}
    return [
        {
            "id": name,
            "name": name,
            "description": description,
            "resource": name.rpartition(":")[0],
            "verb": name.rpartition(":")[2],
            "roles": [role for role in Role if name in held[role]],
        }
        for name, description in catalog.descriptions.items()
    ]
