"""A tenant below HTTP: its records, the grants on them, and who acts, in the tables that production uses.

Records and grants are written as the application's role, inside of row security. A `Cast` is a person before anything
is known of what that adds up to; `Scene.principal` makes the principal of it, as the gate does.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import ARRAY, ColumnElement, FromClause, Text, Uuid, any_, bindparam, cast, column, func, insert, select
from sqlalchemy import Table as SqlTable
from sqlalchemy.dialects.postgresql import JSONB

from planner.app import application
from planner.comments.service import CommentService
from planner.items.service import ItemService
from planner.projects.service import ProjectService
from planner.tasks.service import TaskService
from tenantry.access import SUBJECTS, GrantFacts, Permits, Principal, ResourceAccess
from tenantry.access.models import Effect, Grant
from tenantry.access.principal_building import PrincipalFacts, build_principal
from tenantry.database import Database, DatabaseRole, DatabaseUrls, Placement, Planning, Row, Statement, UnitOfWork
from tenantry.kernel import SYSTEM, Actor, ActorKind, TenantId, new_id
from tenantry.resources import ResourceDefinition
from tenantry.tenancy import TenantFacts

CATALOG = application.catalog()
RESOURCES: dict[str, ResourceDefinition] = {
    service.resource.name: service.resource for service in (ProjectService, TaskService, CommentService, ItemService)
}
"""Every resource of Planner, by name."""

NOW = datetime.now(UTC)
PAST, FUTURE = NOW - timedelta(hours=1), NOW + timedelta(hours=1)


@dataclass(frozen=True)
class OwnRole:
    """A role of a tenant's own."""

    name: str
    permissions: frozenset[str] = frozenset()
    id: UUID = field(default_factory=new_id)
    counts_as: str = "viewer"


@dataclass(frozen=True)
class GivenGrant:
    """A grant, on one record or (without) on a whole resource."""

    subject: UUID
    action: str
    effect: str
    record: UUID | None = None
    expires: datetime | None = None
    id: UUID = field(default_factory=new_id)

    @property
    def is_in_force(self) -> bool:
        return self.expires is None or self.expires > datetime.now(UTC)


@dataclass(frozen=True)
class Cast:
    """Who acts."""

    user: UUID = field(default_factory=new_id)
    role: str = "stranger"
    """A built-in role, one of `own_roles`, or nothing that exists."""
    team_roles: Sequence[str] = ()
    teams: Sequence[UUID] = ()
    key: UUID | None = None
    scope: Iterable[str] | None = None
    own_roles: Sequence[OwnRole] = ()


@dataclass
class Scene:
    """A tenant, and how to write and ask in it."""

    database: Database
    tenant: TenantFacts

    @classmethod
    def begin(cls, database: Database, *granted: str) -> Scene:
        """Return a new tenant, in which grants may exist for the named resources."""
        tenant_id, granted_for = TenantId(new_id()), frozenset(granted or RESOURCES)
        name = f"CNRY.t-{tenant_id.hex[-12:]}"
        facts = TenantFacts(tenant_id, name.lower(), name, "active", Placement.pool(), granted_for)
        return cls(database, facts)

    def work(self, planning: Planning = Planning.KEPT) -> UnitOfWork:
        return self.database.tenant_scope(
            self.tenant.id, self.tenant.placement, actor=SYSTEM, request_id="r-scene", planning=planning
        )

    async def write(self, table: SqlTable, rows: Iterable[Mapping[str, Any]]) -> None:
        """Insert rows that all have the same columns, of this tenant."""
        mine = [{"tenant_id": self.tenant.id, **row} for row in rows]
        if mine:
            async with self.work() as uow:
                await uow.run(_insertion(table, tuple(mine[0])), rows=json.dumps(mine, default=str))

    async def give(self, *grants: GivenGrant) -> None:
        """Write the grants that are on records; those on whole resources are facts of the principal."""
        await self.write(
            Grant.__table__,
            [
                {
                    "id": one.id,
                    "resource_type": "any",
                    "record_id": one.record,
                    "subject_type": "any",
                    "subject_id": one.subject,
                    "action": one.action,
                    "effect": one.effect,
                    "expires_at": one.expires,
                }
                for one in grants
                if one.record is not None
            ],
        )

    def principal(self, cast_: Cast, grants: Iterable[GivenGrant] = ()) -> Principal:
        """Return who the cast is in this tenant; of `grants` those on whole resources count."""
        acts = PrincipalFacts(
            Actor(ActorKind.USER, cast_.user),
            cast_.user,
            self.tenant,
            cast_.role,
            cast_.team_roles,
            cast_.teams,
            key_id=cast_.key,
            ceiling=None if cast_.scope is None else CATALOG.expand(cast_.scope),
        )
        types = [
            GrantFacts(one.id, one.subject, one.action, Effect(one.effect), expires_at=one.expires)
            for one in grants
            if one.record is None
        ]
        return build_principal(acts, CATALOG, {role.name: role for role in cast_.own_roles}, types, datetime.now(UTC))

    async def rows(self, statement: Statement, principal: Principal, **values: Any) -> list[Row]:
        """Run one statement in the name of a principal."""
        async with self.work() as uow:
            return await uow.all(statement, **values, **{SUBJECTS: principal.subjects})


@asynccontextmanager
async def superuser(urls: DatabaseUrls, admin_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Connect past row security, for what the application's role cannot do: filling tables, taking statistics."""
    name = urls.of(DatabaseRole.APP).partition("@/")[2].partition("?")[0]
    connection = await asyncpg.connect(admin_url.replace("@/postgres?", f"@/{name}?"))
    try:
        yield connection
    finally:
        await connection.close()


def facts_of(grants: Iterable[GivenGrant]) -> list[GrantFacts]:
    """Return the grants on records that are in force, as the decision in memory takes them."""
    return [
        GrantFacts(one.id, one.subject, one.action, Effect(one.effect), one.record)
        for one in grants
        if one.record is not None and one.is_in_force
    ]


@lru_cache(maxsize=8192)
def verdicts(access: ResourceAccess, verb: str, permits: Permits) -> Statement:
    """Some records, soft-deleted or not: ``id, visible, allowed``, as SQL decides. Parameters: ``ids``."""
    return _verdicts(access, permits[1:], lambda rows: access.allowed(verb, permits, rows))


@lru_cache(maxsize=8192)
def additions(access: ResourceAccess, permits: Permits) -> Statement:
    """The same of records that could hold a new one: ``allowed`` says whether it may be added."""
    if access.parent is None:
        raise LookupError(f"{access.resource} has no parent")
    return _verdicts(access.parent.access, permits[2:], lambda rows: access.addable(permits[0], rows))


def _verdicts(access: ResourceAccess, read: Permits, rule: Callable[[FromClause], ColumnElement[bool]]) -> Statement:
    asked, rows = bindparam("ids", type_=ARRAY(Uuid)), access.table
    seen = rows.alias("seen")
    visible = rows.c.id.in_(select(seen.c.id).where(seen.c.id == any_(asked), access.visible(seen, read)))
    allowed = rows.c.id.in_(select(seen.c.id).where(seen.c.id == any_(asked), rule(seen)))
    return Statement(
        select(rows.c.id, visible.label("visible"), allowed.label("allowed")).where(rows.c.id == any_(asked))
    )


@lru_cache(maxsize=64)
def _insertion(table: SqlTable, names: tuple[str, ...]) -> Statement:
    given = cast(bindparam("rows", type_=Text), JSONB)
    rows = func.jsonb_to_recordset(given).table_valued(*(column(name, table.c[name].type) for name in names))
    derived = rows.render_derived(name="given", with_types=True)
    return Statement(insert(table).from_select(list(names), select(*derived.c)))
