"""The decision order, in one place.

1. the actor is authenticated                      `tenantry.identity`, before a principal exists
2. and an active member of the tenant              `tenantry.tenancy`, before a principal exists
3. `acl_allow_always` roles of the resource        } grants: the next release puts them here, in
4. an explicit deny grant                          } `ResourceAccess.allowed`, in front of the extents
5. an explicit allow grant                         }
6. ownership                                       `Extent.OWN`
7. the role's permission                           `Extent.ALL`
8. otherwise: no                                   `Extent.NONE`

*Visible* is the decision for ``read``. A write needs visible and its own action. A child is visible only if its parent
is. What is not visible is 404, what is visible but not allowed is 403; the first is asked before the second.

One decision serves lists, counts, single records and writes, because it exists only as a predicate of SQL.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from sqlalchemy import ColumnElement, FromClause, and_, bindparam, exists, false, select, true
from sqlalchemy import Table as SqlTable

from tenantry.database import TenantTable

ACTOR = "actor_user_id"
"""Name of the parameter that carries the acting user's id into every predicate."""


class Extent(StrEnum):
    """How far a permission reaches."""

    ALL = "all"
    OWN = "own"
    NONE = "none"


class Reach(Protocol):
    """Something that knows how far a permission reaches; a principal does."""

    def extent(self, permission: str) -> Extent:
        """Return the extent of one permission."""
        ...


Extents = tuple[Extent, ...]
"""The extents a predicate was built for: of the action, then of reading the resource and each parent above it."""


OwnCondition = Callable[[FromClause], ColumnElement[bool]]
"""What ownership demands besides the owner: given the rows, the condition on them."""


@dataclass(frozen=True, slots=True, eq=False)
class Parent:
    """The resource that a child belongs to: a child is visible only if its parent is."""

    access: ResourceAccess
    column: str


@dataclass(frozen=True, slots=True, eq=False)
class ResourceAccess:
    """Who may do what with the records of one resource, as predicates over its table.

    `owner` names the column with the owning user's id; `own_when` limits what ownership allows, by verb (a member may
    update an own project while it is a draft). Records whose `deleted_at` is set are visible to nobody, except to the
    verbs that ask for them.
    """

    resource: str
    model: type[TenantTable]
    owner: str | None = None
    own_when: Mapping[str, OwnCondition] = field(default_factory=dict)
    parent: Parent | None = None

    @property
    def table(self) -> SqlTable:
        """The table of the resource."""
        return self.model.__table__

    def extents(self, reach: Reach, verb: str) -> Extents:
        """Return what a principal's permissions say about a verb here, as the key of a compiled statement."""
        return (reach.extent(f"{self.resource}:{verb}"), *self.read_extents(reach))

    def read_extents(self, reach: Reach) -> Extents:
        """Return the extents of reading this resource and each one above it."""
        above = self.parent.access.read_extents(reach) if self.parent else ()
        return (reach.extent(f"{self.resource}:read"), *above)

    def visible(self, rows: FromClause, read: Extents, *, deleted: bool = False) -> ColumnElement[bool]:
        """Return the predicate of the records that may be read; `deleted` asks for the soft-deleted ones instead."""
        clauses = [self._within("read", read[0], rows)]
        if "deleted_at" in rows.c:
            clauses.append(rows.c.deleted_at.is_not(None) if deleted else rows.c.deleted_at.is_(None))
        if self.parent:
            clauses.append(self._parent_is_visible(self.parent, rows, read[1:]))
        return and_(true(), *clauses)

    def allowed(self, verb: str, extents: Extents, rows: FromClause) -> ColumnElement[bool]:
        """Return the predicate of the records that the action may touch, among the visible ones."""
        return self._within(verb, extents[0], rows)

    def _within(self, verb: str, extent: Extent, rows: FromClause) -> ColumnElement[bool]:
        match extent:
            case Extent.ALL:
                return true()
            case Extent.OWN if self.owner is not None:
                owned = rows.c[self.owner] == bindparam(ACTOR, type_=rows.c[self.owner].type)
                condition = self.own_when.get(verb)
                return owned if condition is None else and_(owned, condition(rows))
            case _:
                return false()

    def _parent_is_visible(self, parent: Parent, rows: FromClause, read: Extents) -> ColumnElement[bool]:
        above = parent.access.table.alias(f"{parent.access.resource}_above")
        return exists(
            select(1).where(
                above.c.tenant_id == rows.c.tenant_id,
                above.c.id == rows.c[parent.column],
                parent.access.visible(above, read),
            )
        )
